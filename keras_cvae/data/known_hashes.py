"""Hashes of images in cache files, kept beside them, so that a large file is read once."""

import contextlib
import json
import re
from pathlib import Path
from typing import Any

import numpy as np

from keras_cvae.data.mapped import mapped_from
from keras_cvae.errors import UserError
from keras_cvae.files import read_json, written_whole

_HASH = re.compile("[0-9a-f]{32}")


class KnownHashes:
    """Hashes of arrays that are mapped from cache files, see `image_cache.load_images`.

    Those of `NAME.npy` are kept in `NAME.hashes.json`, with the size, the times and the number by
    which the system knows the file. They count for this very file alone: one that was written
    again, copied, or changed in place has others. What cannot be read counts as unknown.

    Example:
        >>> known = KnownHashes()
        >>> if known.get(images) is None:
        ...     known.add(images, slow_hash(images))
        >>> known.store()
    """

    def __init__(self) -> None:
        self._identities: dict[Path, list[int] | None] = {}
        self._hashes: dict[Path, dict[str, str]] = {}
        self._new: set[Path] = set()

    def get(self, images: np.ndarray) -> str | None:
        """The hash of an array.

        Args:
            images: any array; only of one that is mapped from a file the hash can be known.

        Returns:
            32 hexadecimal digits, or `None` if it is not known. Then compute it, and `add` it.
        """
        mapped = _mapped(images)
        if mapped is None:
            return None
        file, part = mapped
        if file not in self._hashes:
            # Before anything is read: of a file that changes meanwhile the hashes will not count.
            self._identities[file] = _identity(file)
            self._hashes[file] = _stored(file, self._identities[file])
        return self._hashes[file].get(part)

    def add(self, images: np.ndarray, digest: str) -> None:
        """Makes a hash known.

        Args:
            images: an array that `get` was asked of before it was read.
            digest: its hash, 32 hexadecimal digits.
        """
        if mapped := _mapped(images):
            file, part = mapped
            self._hashes[file][part] = digest
            self._new.add(file)

    def store(self) -> None:
        """Keeps what was computed. A cache that cannot be written stays as it is."""
        for file in self._new:
            content = {"file": self._identities[file], "hashes": self._hashes[file]}
            with contextlib.suppress(OSError), written_whole(_beside(file)) as partial:
                partial.write_text(json.dumps(content))
        self._new.clear()


def _mapped(images: np.ndarray) -> tuple[Path, str] | None:
    """The file that an array is mapped from, and which part of it the array is."""
    mapped = mapped_from(images)
    if mapped is None:
        return None
    return mapped.file, f"{images.dtype} {mapped.offset} {images.shape} {images.strides}"


def _identity(file: Path) -> list[int] | None:
    try:
        stat = file.stat()
    except OSError:  # removed since it was mapped
        return None
    return [stat.st_size, stat.st_mtime_ns, stat.st_ctime_ns, stat.st_ino]


def _beside(file: Path) -> Path:
    return file.with_suffix(".hashes.json")


def _stored(file: Path, identity: list[int] | None) -> dict[str, str]:
    try:
        content = read_json(_beside(file), "The hashes")
    except UserError:
        return {}
    if identity is None or not isinstance(content, dict) or content.get("file") != identity:
        return {}
    hashes = content.get("hashes")
    hashes = hashes if isinstance(hashes, dict) else {}
    return {part: text for part, text in hashes.items() if _is_hash(text)}


def _is_hash(text: Any) -> bool:
    return isinstance(text, str) and _HASH.fullmatch(text) is not None
