"""Whether the training step is compiled, and why."""

import shutil

CHOICES = ("auto", "on", "off")


def choose(asked, backend):
    """What `--compile` comes to on a backend.

    Args:
        asked: `"auto"`, which compiles where that was measured to pay; `"on"` or `"off"`.
        backend: str, the Keras backend.

    Returns:
        `(jit_compile, reason)`: bool for `model.compile`, and a line for people.

    Raises:
        ValueError: for an unknown choice, or where torch.compile has no C++ compiler.
    """
    if asked not in CHOICES:
        raise ValueError(f"Unknown --compile {asked!r}; expected one of {', '.join(CHOICES)}.")
    on = asked == "on" or (asked == "auto" and backend == "jax")
    if backend == "jax":
        return on, "by XLA" if on else "no; JAX runs each operation by itself, slowly"
    if backend == "tensorflow":
        return on, "by XLA" if on else "a TensorFlow graph without XLA, which was slower on CPUs"
    if on and not any(map(shutil.which, ("g++", "c++", "clang++"))):
        raise ValueError(
            "--compile on needs a C++ compiler for torch.compile, and none of g++, c++ and clang++ "
            "was found. Install one, or leave --compile at auto."
        )
    return on, "by torch.compile" if on else "no; torch.compile was slower in trials on CPUs"
