"""The manifest of an exported model: a JSON file next to it, with what is needed to use it."""

import json
import os
from collections.abc import Callable
from pathlib import Path
from typing import Any

from keras_cvae.errors import UserError
from keras_cvae.files import write_json

SUFFIX = ".json"


def _sizes(number: int) -> Callable[[Any], bool]:
    def fits(value: Any) -> bool:
        counts = isinstance(value, list) and len(value) == number
        return counts and all(isinstance(side, int) and side > 0 for side in value)

    return fits


_FIELDS: dict[str, Callable[[Any], bool]] = {  # the fields that a predictor needs
    "format": lambda value: isinstance(value, str),
    "frame_size": _sizes(2),
    "latent_shape": _sizes(3),
    "temperature": lambda value: isinstance(value, int | float) and value >= 0,
    "model": lambda value: isinstance(value, dict),
}


def manifest_path(path: str | os.PathLike) -> Path:
    """The path of the manifest of an exported model: `dancer.onnx.json` for `dancer.onnx`."""
    return Path(f"{path}{SUFFIX}")


def read_manifest(path: str | os.PathLike) -> dict | None:
    """Reads the manifest of an exported model.

    Args:
        path: the exported file or folder, not the manifest.

    Returns:
        The manifest, or `None` if there is none next to the model.

    Raises:
        UserError: if the file is no manifest of an export.
    """
    path = manifest_path(path)
    if not path.is_file():
        return None
    try:
        manifest = json.loads(path.read_text())
    except (OSError, ValueError) as error:
        raise UserError(f"The manifest {path} could not be read: {error}") from error
    known = manifest if isinstance(manifest, dict) else {}
    wrong = [name for name, fits in _FIELDS.items() if not fits(known.get(name))]
    if wrong:
        raise UserError(
            f"{path} is not the manifest of an export: {', '.join(wrong)} missing or wrong."
        )
    return manifest


def write_manifest(path: str | os.PathLike, manifest: dict) -> None:
    """Writes the manifest of an exported model next to it.

    Args:
        path: the exported file or folder.
        manifest: what to write.
    """
    write_json(manifest_path(path), manifest)
