"""The networks a `CVAE` can be made of, by name."""

from keras_cvae.architectures.lab import LabArchitecture
from keras_cvae.architectures.multiscale import MultiscaleArchitecture

ARCHITECTURES = {"lab": LabArchitecture, "multiscale": MultiscaleArchitecture}
