"""What Keras' `jit_compile="auto"` means on each backend."""

import keras


def jit_compile_for(asked: bool | str) -> bool | str:
    """Keras' `jit_compile` for the user's choice.

    On TensorFlow `"auto"` means no XLA: compiling the unrolled clip takes minutes, and it was
    faster in no measurement. On other backends `"auto"` is Keras' own.

    Args:
        asked: `"auto"`, `True` or `False`.

    Returns:
        The argument `jit_compile` of `model.compile`.
    """
    return False if asked == "auto" and keras.backend.backend() == "tensorflow" else asked


def set_jit_compile(model: keras.Model) -> None:
    """Applies `"auto"` to a model on which `compile` was not called; see `jit_compile_for`."""
    if jit_compile_for("auto") is False:
        model.jit_compile = False
