"""What a backend does better by itself than through `keras.ops`, or cannot do as others do."""

import keras


def convolutions():
    """The module with the convolutions for the backend that Keras runs on.

    Returns:
        A module with `conv3x3(x, kernel, bias)`, `depthwise3x3(x, kernel, bias)` and
        `pointwise(x, kernel, bias)`, all channels last and keeping height and width.
    """
    backend = keras.backend.backend()
    if backend == "torch":
        from keras_cvae.native import torch as module
    elif backend == "tensorflow":
        from keras_cvae.native import tensorflow as module
    else:
        from keras_cvae.native import generic as module
    return module


def unrolls_loops(jit_compile):
    """Whether loops over time are to be unrolled: XLA on TensorFlow has no gradient of a scan."""
    return keras.backend.backend() == "tensorflow" and jit_compile is True


def images_at_once(architecture):
    """How many images go through the decoder together; `None` for as many as there are.

    PyTorch, which maps the memory of a large tensor anew in every operation, is faster with fewer.
    """
    return architecture.images_at_once if keras.backend.backend() == "torch" else None
