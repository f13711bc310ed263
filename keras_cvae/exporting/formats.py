"""The formats of exported models, and the backends that can write them."""

import dataclasses
import importlib.util

from keras_cvae.backend.choice import BACKENDS
from keras_cvae.errors import UserError


@dataclasses.dataclass(frozen=True)
class Format:
    """A format of exported models.

    Args:
        suffix: the ending of its files; empty for a folder.
        needs: backend -> the packages that writing and checking need on it. Only these backends can
            write the format.
        extra: the extra of this package that installs them.
    """

    suffix: str
    needs: dict[str, tuple[str, ...]]
    extra: str


FORMATS = {
    "keras": Format(".keras", dict.fromkeys(BACKENDS, ()), ""),
    "weights": Format(".weights.h5", dict.fromkeys(BACKENDS, ()), ""),
    "onnx": Format(
        ".onnx",
        {
            "torch": ("onnx", "onnxruntime"),
            "tensorflow": ("onnx", "tf2onnx", "onnxruntime"),
        },
        "onnx",
    ),
    "tf_saved_model": Format("", {"tensorflow": ("tensorflow",)}, "tensorflow"),
    "torch": Format(".pt2", {"torch": ("torch",)}, "torch"),
}


def writing_backend(format: str, backend: str) -> str:
    """The backend that writes a format: the given one if it can, otherwise an installed one.

    Args:
        format: a key of `FORMATS`.
        backend: the Keras backend in use.

    Returns:
        The name of the backend.

    Raises:
        UserError: if no backend that can write it is installed with the packages that it needs.
    """
    needs = FORMATS[format].needs
    missing: dict[str, list[str]] = {}
    for name in sorted(needs, key=lambda name: name != backend):
        absent = [p for p in (name, *needs[name]) if importlib.util.find_spec(p) is None]
        if not absent:
            return name
        missing[name] = list(dict.fromkeys(absent))
    ways = "; or ".join(f"{', '.join(absent)} (with {name})" for name, absent in missing.items())
    extras = [FORMATS[format].extra, *(name for name in missing if name in missing[name])][:2]
    raise UserError(
        f"Writing {format} needs packages that are not installed: {ways}. Install them with "
        f"pip install 'keras_cvae[{','.join(dict.fromkeys(extras))}]'."
    )
