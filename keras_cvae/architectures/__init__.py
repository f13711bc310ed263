"""The networks a `CVAE` can be made of, by name."""

from keras_cvae.architectures.lab import LabArchitecture

ARCHITECTURES = {"lab": LabArchitecture}
