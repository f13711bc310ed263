"""The splits of the built-in data: how many videos, how long they are, and their seeds."""

from collections.abc import Sequence
from typing import Any

import numpy as np

from keras_cvae.data.synthetic.picture import is_integer
from keras_cvae.errors import UserError, check_choice

FPS = 24
LENGTHS = {"train": (2400,), "val": (630,), "test": (630,) * 5}  # frames of each video

MAX_FRAMES = 2**18  # of a video, three hours: the joints of all its frames are in memory
MAX_VIDEOS = 1000  # of a split


def split_lengths(split: str, frames: int | Sequence[int] | None = None) -> tuple[int, ...]:
    """The length of each video of a split, in frames.

    Args:
        split, frames: as for `builtin_videos`.

    Raises:
        UserError: for an unknown split or a wrong length.
    """
    check_choice("split", split, LENGTHS)
    if frames is None:
        return LENGTHS[split]
    lengths: Any = frames if np.ndim(frames) else [frames] * len(LENGTHS[split])
    if len(lengths) == 0:
        raise UserError("frames is empty; give the length of at least one video.")
    if len(lengths) > MAX_VIDEOS:
        raise UserError(f"{split} has at most {MAX_VIDEOS} videos, got {len(lengths)} lengths.")
    return tuple(check_length(length) for length in lengths)


def dance_key(split: str, index: int, seed: int) -> tuple[int, int, int]:
    """The choreography seed of one video of the built-in data.

    Args:
        split: `"train"`, `"val"` or `"test"`.
        index: of the video in the split, from 0.
        seed: of the whole data, at least 0.

    Raises:
        UserError: for a wrong seed.
    """
    # Not from 0: NumPy ignores trailing zeros, and the seed alone would give the training video.
    return (check_seed(seed), 1 + list(LENGTHS).index(split), index)


def check_length(frames: Any) -> int:
    """The length of a video in frames.

    Raises:
        UserError: if it is no integer from 1 to 2**18.
    """
    if not (is_integer(frames) and frames > 0):
        raise UserError(f"frames must be a positive integer for each video, got {frames!r}.")
    if frames > MAX_FRAMES:
        raise UserError(f"A video has at most {MAX_FRAMES} frames, got {frames!r}.")
    return int(frames)


def check_seed(seed: Any) -> Any:
    """A seed, one or more integers.

    Raises:
        UserError: if one is no integer, or is below 0.
    """
    if not all(is_integer(n) and n >= 0 for n in np.atleast_1d(np.array(seed, dtype=object))):
        raise UserError(f"A seed must be an integer, at least 0, got {seed!r}.")
    return seed
