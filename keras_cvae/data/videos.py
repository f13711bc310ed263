"""A video with its poses, and the check that arrays from outside pass."""

from typing import NamedTuple

import numpy as np

from keras_cvae.errors import UserError
from keras_cvae.images import check_range


class Video(NamedTuple):
    """One uninterrupted video and the pose that belongs to each of its frames.

    `poses[t]` belongs to `frames[t]`. A test video whose true frames are unknown holds only the
    given frame: `frames` has the shape `(1, H, W, 3)` and `has_truth` is false.

    Args:
        name: what the video is called in messages, tables and file names.
        frames: uint8 RGB array `(T, H, W, 3)`, or float32 in [0, 1].
        poses: pose images, an array like `frames`.

    Example:
        >>> video = Video("walk", frames, poses)
        >>> video.frames.shape
        (120, 32, 64, 3)
    """

    name: str
    frames: np.ndarray
    poses: np.ndarray

    @property
    def has_truth(self) -> bool:
        """Whether there is a true frame for every pose."""
        return len(self.frames) == len(self.poses)


def check_images(images: np.ndarray, what: str) -> np.ndarray:
    """Checks an array of images from outside, and returns it as uint8 or float32.

    uint8 arrays, memory-mapped ones too, are passed through without being read or copied; floats
    become float32.

    Args:
        images: array `(T, H, W, 3)`, uint8 in [0, 255] or floats in [0, 1], RGB.
        what: how messages name the array, such as `"frames of video 0"`.

    Returns:
        The same images, uint8 or float32.

    Raises:
        UserError: another shape, type or range of values.
    """
    images = np.asarray(images)
    if images.ndim != 4 or images.shape[-1] != 3 or 0 in images.shape:
        raise UserError(
            f"{what}: expected RGB images of shape (T, H, W, 3), none of them 0, got shape "
            f"{images.shape}. Pass one array per video, channels last."
        )
    images = check_range(images, what)
    return images if images.dtype == np.uint8 else images.astype(np.float32, copy=False)


def check_video(frames: np.ndarray, poses: np.ndarray, name: str = "video") -> Video:
    """Checks the arrays of one video and makes a `Video` of them.

    Args:
        frames: array `(T, H, W, 3)`, uint8 in [0, 255] or floats in [0, 1], RGB.
        poses: the pose image of every frame, an array of the same shape.
        name: the video's name.

    Returns:
        A `Video`; floats have become float32.

    Raises:
        UserError: wrong shape, type or range of values, or frames and poses of different length
            or size.
    """
    frames = check_images(frames, f"frames of {name}")
    poses = check_images(poses, f"poses of {name}")
    if frames.shape[1:3] != poses.shape[1:3]:
        raise UserError(
            f"{name}: frames are {frames.shape[1]} x {frames.shape[2]} and poses "
            f"{poses.shape[1]} x {poses.shape[2]} (height x width); both must have the same size. "
            "Resize one of them."
        )
    if len(frames) != len(poses):
        raise UserError(
            f"{name}: {len(frames)} frames but {len(poses)} poses; each frame needs its pose, "
            "poses[t] that of frames[t]."
        )
    return Video(name, frames, poses)


def as_videos(videos) -> list[Video]:
    """Makes checked videos, true frames included, of the forms in which they may be passed.

    Args:
        videos: a list of `Video` or of pairs `(frames, poses)`, a single one of either, or an
            object whose attribute `videos` is such a list, as that of `Clips` is.

    Returns:
        A list of `Video`, all of one frame size and type.

    Raises:
        UserError: none at all, another type, arrays that do not fit, or a video without truth.
    """
    videos = getattr(videos, "videos", videos)
    if isinstance(videos, Video) or (len(videos) == 2 and all(hasattr(v, "shape") for v in videos)):
        videos = [videos]
    checked = []
    for index, video in enumerate(videos):
        if isinstance(video, Video):
            if len(video.frames) == 1 and not video.has_truth:
                raise UserError(
                    f"{video.name} has {len(video.poses)} poses but only its first frame: the true "
                    "frames are needed here. Use it for prediction alone."
                )
            checked.append(check_video(video.frames, video.poses, video.name))
        elif isinstance(video, tuple | list) and len(video) == 2:
            checked.append(check_video(*video, name=f"video {index}"))
        else:
            raise UserError(
                "videos must be a list of Video or of (frames, poses) pairs, or one pair of "
                f"arrays; item {index} is {type(video).__name__} (shape "
                f"{getattr(video, 'shape', 'none')})."
            )
    if not checked:
        raise UserError("videos is empty; pass at least one Video or (frames, poses) pair.")
    first = checked[0]
    for video in checked[1:]:
        for key in ("frames", "poses"):
            ours, theirs = getattr(first, key), getattr(video, key)
            if ours.shape[1:] != theirs.shape[1:] or ours.dtype != theirs.dtype:
                raise UserError(
                    f"All videos must have the same frame size and type: {key} of {first.name} are "
                    f"{ours.shape[1:]} {ours.dtype}, of {video.name} {theirs.shape[1:]} "
                    f"{theirs.dtype}. Resize or convert them."
                )
    return checked
