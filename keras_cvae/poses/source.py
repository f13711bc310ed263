"""A video to take poses and frames from: a file, or a folder of numbered images."""

import math
import os
from collections.abc import Iterator
from pathlib import Path
from typing import NamedTuple

import numpy as np

from keras_cvae.data.dance_layout import numbered_images
from keras_cvae.data.decoding import image_size, read_image
from keras_cvae.data.same_size import check_same_size
from keras_cvae.errors import UserError
from keras_cvae.video.read import (
    VideoInfo,
    check_not_faster,
    count_frames,
    read_video,
    video_info,
)

MAX_FPS = 30.0  # frames per second that are taken, where nothing else is said
FOLDER_FPS = 30.0  # of a folder of images, where nothing else is said


class Source(NamedTuple):
    """A video, or a part of it, at a constant rate.

    Args:
        path: of a video file or a folder of numbered images.
        info: of the whole video.
        fps: frames per second that are taken.
        start: seconds; what is before is left out.
        end: seconds, or `None`: to the end.
        limit: at most so many frames, or `None`.
    """

    path: Path
    info: VideoInfo
    fps: float
    start: float = 0.0
    end: float | None = None
    limit: int | None = None

    @property
    def name(self) -> str:
        """The name of the file or folder."""
        return self.path.name

    @property
    def length(self) -> int:
        """About how many frames there are."""
        return count_frames(self.info, self.fps, self.start, self.end, self.limit)

    def frames(self) -> Iterator[tuple[int, np.ndarray]]:
        """The frames in order: their numbers in the file, and (H, W, 3) uint8 RGB images.

        Raises:
            UserError: if they cannot be decoded.
        """
        if not self.path.is_dir():
            for frame in read_video(self.path, self.fps, self.start, self.end, self.limit):
                yield frame.source, frame.image
            return
        files = numbered_images(self.path)
        first = round(self.start * self.fps)
        for number in range(first, min(first + self.length, len(files))):
            yield number, read_image(files[number])


def usual_rate(fps: float) -> float:
    """The rate that is taken of a video of a rate where nothing else is said: at most 30.

    A faster one is divided by a whole number, so that frames are evenly spaced: 50 becomes 25.
    """
    return fps / max(1, math.ceil(fps / MAX_FPS - 0.02))  # 30.02 is 30


def open_source(
    path: str | os.PathLike,
    fps: float | None = None,
    start: float = 0.0,
    end: float | None = None,
    limit: int | None = None,
) -> Source:
    """Looks at a video; no frame but the first is decoded.

    Args:
        path: a video file, or a folder of numbered images, which have the rate `fps`.
        fps: frames per second to take, at most those of the file. `None` takes `usual_rate` (of a
            folder 30).
        start, end: seconds.
        limit: at most so many frames.

    Returns:
        `Source`.

    Raises:
        UserError: if it is no video, `fps` is more than it has, images differ in size, or nothing
            lies between `start` and `end`.
    """
    path = Path(path)
    if path.is_dir():
        files = numbered_images(path)
        rate = FOLDER_FPS if fps is None else fps
        size = image_size(files[0])
        for file in files:
            check_same_size(files[0], size, file, image_size(file))
        info = VideoInfo(size, rate, len(files), len(files) / rate)
    else:
        info = video_info(path)
    check_not_faster(path, fps, info.fps)
    source = Source(path, info, usual_rate(info.fps) if fps is None else fps, start, end, limit)
    if source.length < 1:
        raise UserError(
            f"{path} has no frame between {start:g} s and {'its end' if end is None else end}: it "
            f"is {info.seconds:.1f} s long. Choose another part."
        )
    return source
