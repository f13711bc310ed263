"""A constant rate from the time stamps of frames, which may be uneven, absent or wrong."""

import math
from collections.abc import Iterable, Iterator
from typing import Generic, NamedTuple, TypeVar

import numpy as np

Frame = TypeVar("Frame")

_LONGEST = 1.0  # seconds that a frame may stay on view
_DEFAULT_RATE = 25.0  # where a file says nothing: FFmpeg's


class Rate(NamedTuple):
    """How fast a video is."""

    fps: float  # average frames per second, without the gaps
    longest: float  # seconds between two frames; a longer time is a gap


class Timed(NamedTuple, Generic[Frame]):
    """A frame with its times."""

    number: int  # from 0
    seconds: float  # from the first frame
    position: float  # the time in output frames, without the gaps
    frame: Frame


def average_rate(stamps: np.ndarray, stated: float | None) -> Rate:
    """The average rate of a video.

    Args:
        stamps: (N,) float time stamps of its frames in seconds, in any order.
        stated: frames per second that the file states, for stamps that say nothing.

    Returns:
        The rate. A gap is longer than a second, and than twice the usual time between two frames,
        so that a slide show has a rate too.
    """
    steps = np.diff(np.unique(stamps))
    steps = steps[np.isfinite(steps) & (steps > 0)]
    if not len(steps):
        fps = stated if stated and 0 < stated < math.inf else _DEFAULT_RATE
        return Rate(fps, max(_LONGEST, 2 / fps))
    longest = max(_LONGEST, 2 * float(np.median(steps)))
    fps = 1 / float(steps[steps <= longest].mean())
    # 30 rather than 30.000000000000004
    return Rate(stated if stated and math.isclose(fps, stated, rel_tol=1e-6) else fps, longest)


def frame_index(position: float, fps: float) -> int:
    """The output frame that a time belongs to: the nearest one, in the middle the later one.

    Args:
        position: the time in output frames.
        fps: output frames per second.
    """
    # Many files round their stamps to whole milliseconds. At half the source's rate every second
    # frame lies in the middle, and must not fall to either side by chance.
    return math.floor(position + 0.5 + min(0.05, 0.001 * fps))


def count_until(position: float, fps: float) -> int:
    """The number of output frames of a video that ends at a position, at least 1 if it is not 0.

    Args:
        position, fps: as for `frame_index`.
    """
    return max(frame_index(position, fps), 1 if position > 0 else 0)


def constant_rate(
    frames: Iterable[tuple[float | None, Frame]],
    source: Rate,
    fps: float,
    start: float = 0.0,
    end: float | None = None,
) -> Iterator[Timed[Frame]]:
    """Gives frames of a video at a constant rate, as FFmpeg's filter `fps` does.

    Each output frame is the last one whose `frame_index` is not later. So frames are left out or
    repeated. Gaps are not filled: behind one, the time goes on as if one frame later. A stamp that
    is absent, or not after the one before, is taken as one frame later too.

    Args:
        frames: time stamps in seconds, of any origin, and frames, in the order of display.
        source: the rate of the frames.
        fps: output frames per second.
        start, end: seconds from the first frame, gaps included: the times of the first output, and
            of what is behind the last one.

    Yields:
        The frames; a repeated one is the same object.
    """
    origin: float | None = None
    held: Timed[Frame] | None = None
    for number, (stamp, frame) in enumerate(frames):
        seconds = 0.0 if held is None else held.seconds + 1 / source.fps
        if stamp is not None:
            origin = stamp - seconds if origin is None else origin
            if held is None or stamp - origin > held.seconds:
                seconds = stamp - origin
        if held is None or seconds <= start:
            position = (seconds - start) * fps
        elif seconds - held.seconds > source.longest:
            position = max(held.position + fps / source.fps, 0.0)
        else:
            position = held.position + (seconds - held.seconds) * fps
        if held is not None:
            yield from _repeated(held, frame_index(position, fps), fps, end)
        held = Timed(number, seconds, position, frame)
        if end is not None and seconds >= end:
            return
    if held is not None:
        stop = held.position + fps / source.fps
        yield from _repeated(held, count_until(stop, fps), fps, end)


def _repeated(
    held: Timed[Frame], stop: int, fps: float, end: float | None
) -> Iterator[Timed[Frame]]:
    """The frame for each output before `stop`, of those from the start to the end."""
    if end is not None:
        # The millionth is for rounding: an output at the end itself is left out.
        stop = min(stop, math.ceil(held.position + (end - held.seconds) * fps - 1e-6))
    for _ in range(max(frame_index(held.position, fps), 0), stop):
        yield held
