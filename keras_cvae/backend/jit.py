"""What Keras' `jit_compile="auto"` means on each backend."""

import keras


def jit_compile_for(asked: bool | str) -> bool | str:
    """Keras' `jit_compile` for a wish of the user, `"auto"`, `True` or `False`.

    On TensorFlow `"auto"` means no XLA: compiling the unrolled clip takes minutes, and it paid
    nowhere that was measured. Elsewhere `"auto"` is Keras' own.
    """
    return False if asked == "auto" and keras.backend.backend() == "tensorflow" else asked


def set_jit_compile(model: keras.Model) -> None:
    """Applies `"auto"`, see `jit_compile_for`, to a model that `compile` was not called on."""
    if jit_compile_for("auto") is False:
        model.jit_compile = False
