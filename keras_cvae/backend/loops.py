"""How loops over the frames of a clip run on each backend."""

import keras


def unrolls_loops(jit_compile: bool | str | None) -> bool:
    """Whether loops over time must be unrolled: XLA on TensorFlow has no gradient of a scan.

    Args:
        jit_compile: as given to `model.compile`.
    """
    return keras.backend.backend() == "tensorflow" and jit_compile is True


def groups_images() -> bool:
    """Whether many images are decoded faster in groups than all at once.

    PyTorch maps fresh memory for a large tensor in every operation.
    """
    return keras.backend.backend() == "torch"
