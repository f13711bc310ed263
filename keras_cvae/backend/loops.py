"""How loops over the frames of a clip run on each backend."""

import keras

from keras_cvae.backend.device import on_gpu
from keras_cvae.backend.tensor import Tensor


def unrolls_loops(jit_compile: bool | str | None) -> bool:
    """Whether loops over time must be unrolled: XLA on TensorFlow has no gradient of a scan.

    Args:
        jit_compile: as given to `model.compile`.
    """
    return keras.backend.backend() == "tensorflow" and jit_compile is True


def scans_pay() -> bool:
    """Whether a loop over time is faster as a scan, which is traced once.

    PyTorch traces nothing. There Keras' scan takes some 40 microseconds more for each time step.
    """
    return keras.backend.backend() != "torch"


def groups_images(images: Tensor) -> bool:
    """Whether many images are decoded faster in groups than all at once.

    On a CPU PyTorch maps fresh memory for a large tensor in every operation.

    Args:
        images: a tensor that is decoded.
    """
    return keras.backend.backend() == "torch" and images.device.type == "cpu"


def compiled_length(steps: int) -> int:
    """The length at which a loop over frames is run for `steps` frames without gradients.

    TensorFlow and JAX compile a loop anew for each length. So that videos of many lengths need few,
    it is a multiple of 4 from 4 to 16, and of 16 from there on; what is too much is thrown away.

    Args:
        steps: int, at least 1.
    """
    if keras.backend.backend() == "torch" or steps < 4:
        return steps
    unit = 4 if steps <= 16 else 16
    return -(-steps // unit) * unit


def two_passes_pay(heavy: bool) -> bool:
    """Whether a free rollout in training is faster in two passes, see `keras_cvae.model.rollout`.

    The second pass decodes the frames again. That is more arithmetic than one pass has, but JAX
    runs a loop with a gradient several times slower, and compiles it for longer. On a GPU the
    operations of one frame take as long as those of all frames together.

    Args:
        heavy: bool, whether the arithmetic of a step takes longer than all around it.
    """
    return not heavy or keras.backend.backend() == "jax" or on_gpu()
