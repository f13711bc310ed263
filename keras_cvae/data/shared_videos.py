"""Videos that one process has read, in all processes that train together."""

from collections.abc import Sequence
from typing import NamedTuple

import numpy as np

from keras_cvae.backend.exchange import share, share_array
from keras_cvae.backend.process import process
from keras_cvae.data.mapped import mapped_from
from keras_cvae.data.videos import Video
from keras_cvae.errors import UserError


class _Place(NamedTuple):
    """An array that the others can map as well."""

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
        described = [(v.name, _place(v.frames), _place(v.poses)) for v in mine]
    shared = []
    for number, (name, *places) in enumerate(share(described)):
        arrays = (None, None) if mine is None else (mine[number].frames, mine[number].poses)
        images = [
            share_array(array) if place is None else _from_file(place, array)
            for place, array in zip(places, arrays, strict=True)
        ]
        shared.append(Video(name, *images))
    return shared if mine is None else mine


def _place(array: np.ndarray) -> _Place | None:
    mapped = mapped_from(array)
    if mapped is None or not array.flags.c_contiguous:
        return None
    return _Place(str(mapped.file), mapped.offset, array.shape, array.dtype.str)


def _from_file(place: _Place, array: np.ndarray | None) -> np.ndarray:
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
