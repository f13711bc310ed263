"""Videos that one process has read, in all processes that train together."""

from collections.abc import Sequence
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np

from keras_cvae.backend.exchange import share, share_array
from keras_cvae.backend.process import process
from keras_cvae.data.videos import Video
from keras_cvae.errors import UserError


class _Mapped(NamedTuple):
    """Where in a file an array is mapped from."""

    file: str
    offset: int
    shape: tuple[int, ...]
    dtype: str


def share_videos(videos: Sequence[Video] | None) -> list[Video]:
    """The first process's videos, in all processes.

    What the first has mapped from a file, as with a cache, the others map as well. All else is sent
    to them.

    Args:
        videos: in the first process the videos, in the others anything.

    Returns:
        The videos; in the first process the same ones.

    Raises:
        UserError: if a process does not see the file that the first has mapped.
    """
    if process().world_size == 1:
        return list(videos or [])
    mine = list(videos or []) if process().first else None
    described = None
    if mine is not None:
        described = [(v.name, _mapped(v.frames), _mapped(v.poses)) for v in mine]
    shared = []
    for number, (name, *places) in enumerate(share(described)):
        arrays = (None, None) if mine is None else (mine[number].frames, mine[number].poses)
        images = [
            share_array(array) if place is None else _from_file(place, array)
            for place, array in zip(places, arrays, strict=True)
        ]
        shared.append(Video(name, *images))
    return shared if mine is None else mine


def _mapped(array: np.ndarray) -> _Mapped | None:
    """Where an array is mapped from, `None` if it is in memory."""
    base: Any = array
    while base is not None and not isinstance(base, np.memmap):
        base = getattr(base, "base", None)
    if base is None or base.filename is None or not array.flags.c_contiguous:
        return None
    start = array.__array_interface__["data"][0] - base.__array_interface__["data"][0]
    place = str(Path(base.filename).absolute())
    return _Mapped(place, base.offset + start, array.shape, array.dtype.str)


def _from_file(place: _Mapped, array: np.ndarray | None) -> np.ndarray:
    if array is not None:
        return array
    try:
        mapped = np.memmap(place.file, place.dtype, "r", place.offset, place.shape)
    except (OSError, ValueError) as error:
        raise UserError(
            f"{process()} cannot map {place.file}, which the first process reads: {error}. Give a "
            "cache folder that all machines see, or none."
        ) from error
    return np.asarray(mapped)
