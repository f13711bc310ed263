"""The fastest convolutions of each backend: channels last, height and width are kept."""

import importlib
from types import ModuleType

import keras


def backend_convolutions() -> ModuleType:
    """The module with the convolutions for the backend that Keras runs on.

    Returns:
        A module with `conv3x3(x, weights)`, `depthwise3x3(x, weights)` and
        `pointwise(x, weights)`; the weights are a kernel and a bias.
    """
    return importlib.import_module(f"keras_cvae.backend.convolutions_{keras.backend.backend()}")
