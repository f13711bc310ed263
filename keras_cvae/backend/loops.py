"""How loops over the frames of a clip run on each backend."""

import keras


def unrolls_loops(jit_compile: bool | str | None) -> bool:
    """Whether loops over time are to be unrolled: XLA on TensorFlow has no gradient of a scan."""
    return keras.backend.backend() == "tensorflow" and jit_compile is True


def groups_images() -> bool:
    """Whether many images are better decoded in groups than all at once.

    PyTorch maps the memory of a large tensor again in every operation.
    """
    return keras.backend.backend() == "torch"
