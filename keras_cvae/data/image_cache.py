"""Decoded images of a folder: in memory, or in a memory-mapped file that is reused."""

import hashlib
import json
import os
from collections.abc import Callable, Sequence
from pathlib import Path

import numpy as np

from keras_cvae.data.decoding import read_image, read_images
from keras_cvae.files import written_whole

_VERSION = 1  # raise it when decoding or resizing changes


def load_images(
    paths: Sequence[Path],
    root: Path,
    frame_size: tuple[int, int] | None,
    cache: str | os.PathLike | None,
    check: Callable[[list[tuple[int, int]]], None],
    label: str,
) -> np.ndarray:
    """Reads images into memory, or maps the file of a cache folder that already holds them.

    The name of a cache file is a fingerprint of the frame size and of the images' names, sizes and
    times of change. So it is used as long as nothing changes, and a new one is made when an image
    is added, removed or changed. It is written whole or not at all. Cache files are never deleted:
    remove them by hand when no program reads them.

    Args:
        paths: the files, at least one.
        root: the folder that names are relative to. Moving it does not invalidate the cache.
        frame_size: `(height, width)` that all are resized to; `None` keeps their own size, which
            must then be the same for all.
        cache: folder for cache files, made if it does not exist; `None` reads into memory.
        check: function of the `(height, width)` of each file that raises if one is wrong. It is
            called before a cache file is kept.
        label: of the progress line.

    Returns:
        (N, height, width, 3) uint8; read-only with a cache.

    Raises:
        UserError: if a file cannot be read, or has the wrong size.
    """
    if cache is None:
        images, sizes = read_images(paths, frame_size, label=label)
        check(sizes)
        return images

    file = Path(cache) / f"{_fingerprint(paths, root, frame_size)}.npy"
    if not file.exists():
        size = frame_size or read_image(paths[0]).shape[:2]
        file.parent.mkdir(parents=True, exist_ok=True)
        with written_whole(file) as partial:
            out = np.lib.format.open_memmap(
                partial, mode="w+", dtype=np.uint8, shape=(len(paths), *size, 3)
            )
            images, sizes = read_images(paths, frame_size, out=out, label=label)
            check(sizes)
            out.flush()
            del images, out  # some systems do not rename a file that is mapped
    return np.asarray(np.load(file, mmap_mode="r"))


def _fingerprint(paths: Sequence[Path], root: Path, frame_size: tuple[int, int] | None) -> str:
    stats = [(path, path.stat()) for path in paths]
    files = [
        (path.relative_to(root).as_posix(), stat.st_size, stat.st_mtime_ns) for path, stat in stats
    ]
    text = json.dumps([_VERSION, frame_size, files])
    return hashlib.sha256(text.encode()).hexdigest()[:24]
