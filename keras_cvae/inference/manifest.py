"""The manifest of an exported model: a JSON file next to it, with what is needed to use it."""

import hashlib
import math
import os
from collections.abc import Callable
from pathlib import Path
from typing import Any

from keras_cvae.errors import UserError
from keras_cvae.files import read_json, write_json
from keras_cvae.images import check_pixels
from keras_cvae.predictor import POSES, PRIORS

SUFFIX = ".json"
_WIDEST = 4096  # channels of a latent
_CHUNK = 2**20  # bytes


def _sizes(number: int) -> Callable[[Any], bool]:
    def fits(value: Any) -> bool:
        counts = isinstance(value, list) and len(value) == number
        return counts and all(type(side) is int and side > 0 for side in value)

    return fits


def _is_number(value: Any) -> bool:
    return isinstance(value, int | float) and not isinstance(value, bool)


_FIELDS: dict[str, Callable[[Any], bool]] = {  # the fields that a predictor needs
    "format": lambda value: isinstance(value, str),
    "frame_size": _sizes(2),
    "latent_shape": _sizes(3),
    "temperature": lambda value: _is_number(value) and 0 <= value < math.inf,
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
        UserError: if the file is no manifest of an export, or claims sizes over the bounds.
    """
    path = manifest_path(path)
    if not path.is_file():
        return None
    manifest = read_json(path, "The manifest")
    known = manifest if isinstance(manifest, dict) else {}
    wrong = [name for name, fits in _FIELDS.items() if not fits(known.get(name))]
    if prior_of(known) not in PRIORS:
        wrong.append("prior")
    if known.get("poses") not in (None, *POSES):
        wrong.append("poses")
    if wrong:
        raise UserError(
            f"{path} is not the manifest of an export: {', '.join(wrong)} missing or wrong."
        )
    height, width = manifest["frame_size"]
    check_pixels(height, width, f"frame_size in {path}")
    height, width, maps = manifest["latent_shape"]
    check_pixels(height, width, f"latent_shape in {path}")
    if maps > _WIDEST:
        raise UserError(f"{path} claims {maps} latent channels; expected at most {_WIDEST}.")
    return manifest


def prior_of(manifest: dict) -> str:
    """The prior of an exported model, one of `PRIORS` where the manifest was read.

    Args:
        manifest: of any version; earlier ones say nothing of a prior, and have the standard one.
    """
    return manifest.get("prior", "standard")


def check_digest(path: str | os.PathLike, manifest: dict) -> None:
    """Checks that a model is the one that its manifest describes.

    Args:
        path: the exported file or folder.
        manifest: as read. One that is just being made has no `sha256` yet, and passes.

    Raises:
        UserError: if the model has another sha256.
    """
    if "sha256" in manifest and manifest["sha256"] != digest(path):
        raise UserError(
            f"{path} is not the model that {manifest_path(path)} describes (its sha256 differs): "
            "it is damaged, or one of the two was replaced. Export or copy both again."
        )


def digest(path: str | os.PathLike) -> str:
    """The sha256 of a file, or of the files of a folder in the order of their names.

    Args:
        path: the exported file or folder.

    Returns:
        64 hexadecimal digits.
    """
    path = Path(path)
    found = hashlib.sha256()
    files = sorted(p for p in path.rglob("*") if p.is_file()) if path.is_dir() else [path]
    for each in files:
        with open(each, "rb") as file:
            while chunk := file.read(_CHUNK):
                found.update(chunk)
    return found.hexdigest()


def write_manifest(path: str | os.PathLike, manifest: dict) -> None:
    """Writes the manifest of an exported model next to it.

    Args:
        path: the exported file or folder.
        manifest: what to write.
    """
    write_json(manifest_path(path), manifest)
