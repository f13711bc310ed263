"""Frames of a video file at a constant rate. Needs PyAV, NumPy and OpenCV alone."""

import itertools
import math
import os
import warnings
from array import array
from collections.abc import Iterator
from typing import NamedTuple

import numpy as np

from keras_cvae.errors import UserError
from keras_cvae.video.decoder import opened
from keras_cvae.video.timing import Rate, average_rate, constant_rate, count_until

_FASTER = 1.01  # times the source's rate that may be asked for: for rates such as 29.97


class VideoInfo(NamedTuple):
    """What a video file holds."""

    frame_size: tuple[int, int]  # height and width in pixels, upright
    fps: float  # average frames per second by the time stamps, without gaps
    frames: int  # packets with a frame in them: about the number of frames
    seconds: float  # frames / fps


class VideoFrame(NamedTuple):
    """One frame of a video."""

    source: int  # its number among the decoded frames of the file, from 0
    seconds: float  # its time stamp, from the first frame's
    image: np.ndarray  # (H, W, 3) uint8 RGB, upright


def video_info(path: str | os.PathLike) -> VideoInfo:
    """Reads size, rate and length of a video. One frame is decoded.

    Args:
        path: the file, such as an MP4, MOV, MKV, WebM, AVI or GIF. The content determines the kind
            of file, not the name.

    Returns:
        `VideoInfo`.

    Raises:
        UserError: if the file is missing, empty, damaged, of another kind, has no video in it, or
            is larger than `images.check_pixels` allows, or PyAV is not installed.

    Example:
        >>> video_info("clip.mp4")
        VideoInfo(frame_size=(720, 1280), fps=25.0, frames=250, seconds=10.0)
    """
    return _scan(path)[0]


def read_video(
    path: str | os.PathLike,
    fps: float | None = None,
    start: float = 0.0,
    end: float | None = None,
    limit: int | None = None,
) -> Iterator[VideoFrame]:
    """Reads frames of a video at a constant rate.

    Time stamps make the rate, as in FFmpeg's filter `fps`: each frame belongs to the output time
    that is nearest, and the last one of several is given. Where there is none for an output time,
    the frame before is repeated, for a second at most: longer gaps in the stamps are not filled.
    Frames are turned upright, and have the size of the first one; pixels are taken as square.

    File and arguments are checked at once, frames are decoded when they are asked for. Damaged
    frames are left out; one warning says how many.

    Args:
        path: the file, as for `video_info`.
        fps: frames per second, at most those of the file; `None` is the file's average rate.
        start, end: seconds from the first frame, gaps included. Outputs are at `start` and every
            1 / `fps` seconds before `end`; `None` is the end of the video. All frames before them
            are decoded too.
        limit: at most so many frames are given.

    Yields:
        `VideoFrame`. A frame that is repeated comes with the same image.

    Raises:
        UserError: as `video_info`; if an argument is out of its range; if no frame can be decoded,
            or `start` lies behind the last one.

    Example:
        >>> images = [frame.image for frame in read_video("clip.mp4", fps=10, end=5)]
        >>> len(images), images[0].shape
        (50, (720, 1280, 3))
    """
    _check_arguments(fps, start, end, limit)
    info, rate = _scan(path)
    check_not_faster(path, fps, info.fps)
    return _read(path, rate, info.fps if fps is None else fps, start, end, limit)


def check_not_faster(name: str | os.PathLike, fps: float | None, own: float) -> None:
    """Checks that a video has so many frames per second.

    Args:
        name: of the video, in messages.
        fps: frames per second that are asked for; `None` passes.
        own: those that it has.

    Raises:
        UserError: if frames would be repeated.
    """
    if fps is not None and fps > _FASTER * own:
        raise UserError(
            f"fps={fps:g} would repeat frames: {os.fspath(name)} has {own:g} frames per second. "
            f"Give at most {own:g}, or leave it out for all frames."
        )


def count_frames(
    info: VideoInfo,
    fps: float | None = None,
    start: float = 0.0,
    end: float | None = None,
    limit: int | None = None,
) -> int:
    """About how many frames `read_video` will give, as a total for progress.

    Args:
        info: of the video.
        fps, start, end, limit: as for `read_video`.

    Returns:
        The number, at least 0.

    Raises:
        UserError: if an argument is out of its range.
    """
    _check_arguments(fps, start, end, limit)
    fps = info.fps if fps is None else fps
    counts = [count_until((info.seconds - start) * fps, fps)]
    counts += [] if end is None else [math.ceil((end - start) * fps - 1e-6)]
    counts += [] if limit is None else [limit]
    return min(counts)


def _check_arguments(fps: float | None, start: float, end: float | None, limit: int | None) -> None:
    if fps is not None and not 0 < fps < math.inf:
        raise UserError(f"fps={fps!r}; expected a positive number, or None for the video's own.")
    if not 0 <= start < math.inf:
        raise UserError(f"start={start!r}; expected seconds, 0 or more.")
    if end is not None and not start < end < math.inf:
        raise UserError(f"end={end!r}; expected seconds, more than start={start!r}, or None.")
    whole = isinstance(limit, int | np.integer) and not isinstance(limit, bool)
    if limit is not None and not (whole and limit >= 1):
        raise UserError(f"limit={limit!r}; expected a positive whole number of frames, or None.")


def _scan(path: str | os.PathLike) -> tuple[VideoInfo, Rate]:
    """Looks at all packets, which is fast, and decodes until there is a frame."""
    shown, displayed, decoded = 0, array("d"), array("d")
    with opened(path) as video:
        for packet in video.packets():
            if video.frame_size is None:
                video.decode(packet)
            if video.shown(packet):
                shown += 1
                for stamp, stamps in ((packet.pts, displayed), (packet.dts, decoded)):
                    if stamp is not None:
                        stamps.append(video.seconds(stamp))
        if video.frame_size is None:
            raise video.no_frame()
        # Some kinds of file have one of the two times, or one for some of the packets.
        stamps = displayed if len(displayed) >= len(decoded) else decoded
        rate = average_rate(np.asarray(stamps), video.stated_rate())
        frames = len(stamps) or max(shown, 1)  # raw streams have no stamps
        return VideoInfo(video.frame_size, rate.fps, frames, frames / rate.fps), rate


def _read(
    path: str | os.PathLike,
    rate: Rate,
    fps: float,
    start: float,
    end: float | None,
    limit: int | None,
) -> Iterator[VideoFrame]:
    given, image = None, np.empty(0)
    with opened(path) as video:
        frames = constant_rate(video.frames(), rate, fps, start, end)
        for frame in itertools.islice(frames, limit):
            if frame is not given:
                given, image = frame, video.picture(frame.frame)
            yield VideoFrame(frame.number, frame.seconds, image)
        if video.frame_size is None:
            raise video.no_frame()
        if given is None:
            raise UserError(f"start={start:g} lies behind the last frame of {os.fspath(path)}.")
        if video.damaged:
            warnings.warn(
                f"{os.fspath(path)}: {video.damaged} packets of the video could not be decoded, "
                "and their frames are left out.",
                stacklevel=2,
            )
