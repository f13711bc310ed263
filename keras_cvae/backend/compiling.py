"""Whether a step is compiled, and why."""

import shutil

from keras_cvae.backend.process import torch_group
from keras_cvae.errors import UserError, check_choice

CHOICES = ("auto", "on", "off")


def choose(asked: str, backend: str) -> tuple[bool, str]:
    """Decides whether the training step is compiled on a backend.

    Args:
        asked: `"auto"`, which compiles where it was measured to be faster; `"on"` or `"off"`.
        backend: the Keras backend.

    Returns:
        `(jit_compile, reason)`: the argument of `model.compile`, and a line that explains it.

    Raises:
        UserError: for an unknown choice, or if torch.compile finds no C++ compiler.
    """
    check_choice("compile", asked, CHOICES)
    on = asked == "on" or (asked == "auto" and backend == "jax")
    if backend == "jax":
        return on, "by XLA" if on else "no; JAX runs each operation by itself, slowly"
    if backend == "tensorflow":
        return on, "by XLA" if on else "a TensorFlow graph without XLA, which was slower on CPUs"
    if on and not any(map(shutil.which, ("g++", "c++", "clang++"))):
        raise UserError(
            "Compiling the step with torch.compile needs a C++ compiler, and none of g++, c++ and "
            "clang++ was found. Install one, or leave compile at auto."
        )
    from keras_cvae.backend.device import on_gpu  # it imports Keras, which flags do not need

    if asked == "auto" and on_gpu():
        if torch_group() is not None:
            return on, "no; what exchanges nothing is recorded once as a CUDA graph"
        return on, "no; recorded once as a CUDA graph"
    return on, "by torch.compile" if on else "no; torch.compile was slower in trials on CPUs"
