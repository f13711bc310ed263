"""Where in a file an array is mapped from."""

from pathlib import Path
from typing import NamedTuple

import numpy as np


class Mapped(NamedTuple):
    """The place of an array in a file that is mapped into memory.

    Args:
        file: the absolute path.
        offset: of its first byte.
    """

    file: Path
    offset: int


def mapped_from(array: np.ndarray) -> Mapped | None:
    """Where an array is mapped from, read-only.

    Args:
        array: any array, such as a part of what `image_cache.load_images` returns.

    Returns:
        `Mapped`, or `None` of an array that is in memory.
    """
    whole = array
    while isinstance(whole.base, np.ndarray):
        whole = whole.base
    if not isinstance(whole, np.memmap) or whole.mode != "r" or whole.filename is None:
        return None
    return Mapped(Path(whole.filename).absolute(), _address(array) - _address(whole) + whole.offset)


def _address(array: np.ndarray) -> int:
    return array.__array_interface__["data"][0]
