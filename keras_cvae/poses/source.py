"""A video to take poses and frames from: a file, or a folder of numbered images."""

import os
from collections.abc import Iterator
from pathlib import Path
from typing import NamedTuple

import numpy as np

from keras_cvae.data.dance_layout import numbered_images
from keras_cvae.data.decoding import image_size, read_image, resize_image
from keras_cvae.errors import UserError
from keras_cvae.video.read import VideoInfo, count_frames, read_video, video_info

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
        for number in range(first, first + self.length):
            yield number, resize_image(read_image(files[number]), self.info.frame_size)


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
        fps: frames per second to take, at most those of the file. `None` takes those of the file
            (of a folder 30).
        start, end: seconds.
        limit: at most so many frames.

    Returns:
        `Source`.

    Raises:
        UserError: if it is no video, `fps` is more than it has, or nothing lies between `start` and
            `end`.
    """
    path = Path(path)
    if path.is_dir():
        files = numbered_images(path)
        rate = FOLDER_FPS if fps is None else fps
        info = VideoInfo(image_size(files[0]), rate, len(files), len(files) / rate)
    else:
        info = video_info(path)
    source = Source(path, info, info.fps if fps is None else fps, start, end, limit)
    if source.length < 1:
        raise UserError(
            f"{path} has no frame between {start:g} s and {'its end' if end is None else end}: it "
            f"is {info.seconds:.1f} s long. Choose another part."
        )
    return source
