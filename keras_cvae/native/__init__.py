"""What a backend does better by itself than through `keras.ops`."""

import keras


def convolutions():
    """The module with the convolutions for the backend that Keras runs on.

    Returns:
        A module with `conv3x3(x, kernel, bias)`, `depthwise3x3(x, kernel, bias)` and
        `pointwise(x, kernel, bias)`, all channels last and keeping height and width.
    """
    if keras.backend.backend() == "torch":
        from keras_cvae.native import torch as module
    else:
        from keras_cvae.native import generic as module
    return module
