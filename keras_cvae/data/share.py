"""The first share of the frames of some videos."""

import numbers
from collections.abc import Sequence

from keras_cvae.data.videos import Video
from keras_cvae.errors import UserError


def share_of_lengths(lengths: Sequence[int], partial: float) -> list[int]:
    """How many frames of each video belong to the first share of all frames.

    Args:
        lengths: frames of each video, in order.
        partial: in (0, 1], the share. `round(partial * frames)` frames of all videos count.

    Returns:
        Frames of each video, 0 for those after the one in which the share ends.

    Raises:
        UserError: for another share, or one of less than one frame.

    Example:
        >>> share_of_lengths([100, 80, 20], 0.7)
        [100, 40, 0]
    """
    is_number = isinstance(partial, numbers.Real) and not isinstance(partial, bool)
    if not is_number or not 0 < partial <= 1:  # NaN is not, either
        raise UserError(f"partial must be a share in (0, 1], got {partial!r}.")
    total = sum(lengths)
    left = round(partial * total)
    if not left:
        raise UserError(
            f"partial={partial} of {total} frames is less than one frame. Raise partial, or add "
            "frames."
        )
    kept = []
    for length in lengths:
        kept.append(min(length, left))
        left -= kept[-1]
    return kept


def first_share(videos: Sequence[Video], partial: float) -> list[Video]:
    """The first share of the frames of some videos; the video in which it ends is cut.

    Args:
        videos: with a true frame for each pose.
        partial: in (0, 1], the share of all frames.

    Returns:
        The videos that have a part in it.

    Raises:
        UserError: as `share_of_lengths`.
    """
    kept = share_of_lengths([len(video.frames) for video in videos], partial)
    return [
        Video(name, frames[:length], poses[:length])
        for (name, frames, poses), length in zip(videos, kept, strict=True)
        if length
    ]
