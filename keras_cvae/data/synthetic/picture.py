"""The picture: its size, and where the dancer stands in it."""

from typing import Any

import numpy as np

from keras_cvae.data.skeleton import supersampling
from keras_cvae.data.synthetic.shapes import Projection
from keras_cvae.errors import UserError
from keras_cvae.images import DEFAULT_FRAME_SIZE, check_pixels

_SMALLEST = 16  # pixels; a smaller pose image would not show the pose
# Lengths in units. A unit is the height of the picture, or less if the picture is narrow.
_NARROW = 1.2
_HEIGHT = 0.75  # of the dancer
_GROUND = 0.065  # from the lower edge up to the dancer's feet
_ARMS = 0.42  # from the dancer's middle to the tip of a stretched arm, and a little more


def check_frame_size(frame_size: tuple[int, int] | None) -> tuple[int, int]:
    """The frame size as `(height, width)`, 32 x 64 for `None`.

    Raises:
        UserError: if a side is no integer or is below 16, or the image that is drawn, which is
            larger and then shrunk, is larger than `check_pixels` allows.
    """
    size: Any = DEFAULT_FRAME_SIZE if frame_size is None else tuple(frame_size)
    if len(size) != 2 or not all(is_integer(n) and n >= _SMALLEST for n in size):
        raise UserError(
            f"frame_size must be (height, width), two integers from {_SMALLEST}, got {frame_size}."
        )
    height, width = map(int, size)
    scale = supersampling((height, width))
    what = f"The drawing of a frame of {height} x {width}, {scale} times as large,"
    check_pixels(scale * height, scale * width, what)
    return height, width


def is_integer(value: object) -> bool:
    """Whether a value is an integer, of Python or NumPy; `bool` is none."""
    return isinstance(value, int | np.integer) and not isinstance(value, bool)


def unit_of(frame_size: tuple[int, int]) -> float:
    """Pixels of the frame per unit of length in the room, for a frame of `(height, width)`."""
    return min(frame_size[0], frame_size[1] / _NARROW)


def projection_of(frame_size: tuple[int, int]) -> Projection:
    """From space to a frame of `(height, width)`."""
    height, width = frame_size
    unit = unit_of(frame_size)
    return Projection(_HEIGHT * unit, (width / 2, height - _GROUND * unit))


def reach_of(frame_size: tuple[int, int]) -> float:
    """The dancer's largest distance from the middle, in body heights, in `(height, width)`."""
    return max(frame_size[1] / unit_of(frame_size) / 2 - _ARMS, 0.0) / _HEIGHT
