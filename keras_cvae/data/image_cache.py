"""Decoded images of a folder: in memory, or in a memory-mapped file that is reused."""

import errno
import hashlib
import io
import json
import math
import os
from collections.abc import Callable, Sequence
from pathlib import Path

import numpy as np

from keras_cvae.data.decoding import image_size, read_images
from keras_cvae.errors import UserError
from keras_cvae.files import written_whole

_VERSION = 2  # raise it when decoding or resizing changes
_AT_ONCE = 4096  # files


def load_images(
    paths: Sequence[str | os.PathLike],
    root: Path,
    frame_size: tuple[int, int] | None,
    cache: str | os.PathLike | None,
    check: Callable[[list[tuple[int, int]]], None],
    label: str,
) -> np.ndarray:
    """Reads images into memory, or maps the file of a cache folder that already holds them.

    The name of a cache file is a fingerprint of the frame size and of the images' names, sizes and
    times of change. So it is used as long as nothing changes, and a new one is made when an image
    is added, removed or changed. It is written whole or not at all. A file that was cut or
    overwritten since is replaced; otherwise cache files are never deleted: remove them by hand when
    no program reads them.

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
        UserError: if a file cannot be read, or has the wrong size, or the cache cannot be written.
    """
    if cache is None:
        images, sizes = read_images(paths, frame_size, label=label)
        check(sizes)
        return images

    file = Path(cache) / f"{_fingerprint(paths, root, frame_size)}.npy"
    shape = (len(paths), *(frame_size or image_size(paths[0])), 3)
    try:
        if not _is_whole(file, shape):
            file.parent.mkdir(parents=True, exist_ok=True)
            with written_whole(file) as partial:
                _write(partial, shape, paths, frame_size, check, label)
        # Not by numpy.load, which trusts what the header says.
        return np.asarray(np.memmap(file, np.uint8, "r", offset=len(_header(shape)), shape=shape))
    except OSError as error:
        raise UserError(
            f"The cache {file} could not be written or read: {error.strerror or error}. Give "
            "another folder for it, or leave it out."
        ) from error


def _write(
    file: Path,
    shape: tuple[int, ...],
    paths: Sequence[str | os.PathLike],
    frame_size: tuple[int, int] | None,
    check: Callable[[list[tuple[int, int]]], None],
    label: str,
) -> None:
    header = _header(shape)
    with open(file, "wb") as opened:
        opened.write(header)
        opened.flush()
        _reserve(opened.fileno(), len(header) + math.prod(shape))
    out = np.memmap(file, np.uint8, "r+", offset=len(header), shape=shape)
    images, sizes = read_images(paths, frame_size, out=out, label=label)
    check(sizes)
    out.flush()
    del images, out  # some systems do not rename a file that is mapped


def _reserve(descriptor: int, size: int) -> None:
    """Makes a file as large as it will be, because on a full disk writing to a map is fatal."""
    os.truncate(descriptor, size)
    if hasattr(os, "posix_fallocate"):
        try:
            os.posix_fallocate(descriptor, 0, size)
        except OSError as error:
            if error.errno in (errno.ENOSPC, errno.EDQUOT):
                raise  # otherwise the file system cannot do it


def _is_whole(file: Path, shape: tuple[int, ...]) -> bool:
    """Whether a cache file has the header and the length that it was written with."""
    header = _header(shape)
    if not file.is_file() or file.stat().st_size != len(header) + math.prod(shape):
        return False
    with open(file, "rb") as opened:
        return opened.read(len(header)) == header


def _header(shape: tuple[int, ...]) -> bytes:
    header = io.BytesIO()
    np.lib.format.write_array_header_1_0(
        header, {"descr": "|u1", "fortran_order": False, "shape": shape}
    )
    return header.getvalue()


def _fingerprint(
    paths: Sequence[str | os.PathLike], root: Path, frame_size: tuple[int, int] | None
) -> str:
    """Of `[_VERSION, frame_size, [[name, size, time], ...]]` as JSON, which is made in pieces."""
    found = hashlib.sha256(f"[{_VERSION}, {json.dumps(frame_size)}, [".encode())
    starts: dict[str, str] = {}  # of the names of each folder: there are few folders
    for first in range(0, len(paths), _AT_ONCE):
        files = []
        for path in paths[first : first + _AT_ONCE]:
            try:
                stat = os.stat(path)
            except OSError as error:
                raise UserError(f"Cannot read image {path}: {error.strerror}.") from error
            folder, _, name = os.fspath(path).rpartition(os.sep)
            if folder not in starts:
                relative = Path(folder).relative_to(root).as_posix()
                starts[folder] = "" if relative == "." else f"{relative}/"
            files.append((starts[folder] + name, stat.st_size, stat.st_mtime_ns))
        found.update(f"{', ' if first else ''}{json.dumps(files)[1:-1]}".encode())
    found.update(b"]]")
    return found.hexdigest()[:24]
