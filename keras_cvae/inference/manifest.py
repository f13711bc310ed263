"""The manifest of an exported model: what a program must know to use it, as JSON beside it."""

import json
import os
from pathlib import Path

from keras_cvae.errors import UserError
from keras_cvae.files import write_json

SUFFIX = ".json"


def _sizes(number):
    def fits(value):
        counts = isinstance(value, list) and len(value) == number
        return counts and all(isinstance(side, int) and side > 0 for side in value)

    return fits


_FIELDS = {  # and what they must be for a predictor
    "format": lambda value: isinstance(value, str),
    "frame_size": _sizes(2),
    "latent_shape": _sizes(3),
    "temperature": lambda value: isinstance(value, int | float) and value >= 0,
    "model": lambda value: isinstance(value, dict),
}


def manifest_path(path: str | os.PathLike) -> Path:
    """Where the manifest of an exported model is: `dancer.onnx.json` beside `dancer.onnx`."""
    return Path(f"{path}{SUFFIX}")


def read_manifest(path: str | os.PathLike) -> dict | None:
    """The manifest of an exported model.

    Args:
        path: the exported file or folder, not the manifest.

    Returns:
        dict, or `None` if there is no manifest beside it.

    Raises:
        UserError: if what is there is no manifest.
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
    """Writes the manifest of an exported model beside it."""
    write_json(manifest_path(path), manifest)
