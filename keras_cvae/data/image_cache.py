"""Decoded images of a folder: in memory, or in a memory-mapped file that knows when it is stale."""

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

    A cache file is named by a fingerprint of the images' names, sizes and times of change and of
    the frame size, so that it is used again as long as nothing changed and a new one is made when
    an image was added, removed or changed. It is written whole or not at all. Nothing is ever
    deleted: files of a cache folder may be removed by hand whenever no program reads them.

    Args:
        paths: the files, at least one.
        root: the folder that names are relative to; moving it does not make the cache stale.
        frame_size: `(height, width)` that all are resized to; `None` keeps their one size.
        cache: folder for cache files, made if missing; `None` reads into memory.
        check: called with the `(height, width)` that each file had; raises if that is wrong. A
            cache file exists only for images that passed.
        label: what the progress line calls the work.

    Returns:
        uint8 array `(N, height, width, 3)`; read-only with a cache.

    Raises:
        UserError: a file cannot be read, or has the wrong size.
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


def _fingerprint(paths, root, frame_size) -> str:
    stats = [(path, path.stat()) for path in paths]
    files = [
        (path.relative_to(root).as_posix(), stat.st_size, stat.st_mtime_ns) for path, stat in stats
    ]
    text = json.dumps([_VERSION, frame_size, files])
    return hashlib.sha256(text.encode()).hexdigest()[:24]
