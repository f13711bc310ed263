"""The manifest of an exported model: what a program must know to use it, as JSON beside it."""

import json
import os
from pathlib import Path

from keras_cvae.runs import write_json

SUFFIX = ".json"
_FIELDS = ("format", "frame_size", "latent_shape", "temperature", "model")


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
        ValueError: if what is there is no manifest.
    """
    path = manifest_path(path)
    if not path.is_file():
        return None
    try:
        manifest = json.loads(path.read_text())
        missing = [name for name in _FIELDS if name not in manifest]
    except (OSError, ValueError, TypeError) as error:
        raise ValueError(f"The manifest {path} could not be read: {error}") from error
    if missing:
        raise ValueError(f"{path} is not the manifest of an export: {', '.join(missing)} missing.")
    return manifest


def write_manifest(path: str | os.PathLike, manifest: dict) -> None:
    """Writes the manifest of an exported model beside it."""
    write_json(manifest_path(path), manifest)
