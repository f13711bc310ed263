"""A video with its poses, and the checks of arrays from the user."""

from collections.abc import Sequence
from typing import Any, NamedTuple, TypeAlias

import numpy as np

from keras_cvae.errors import UserError
from keras_cvae.images import check_range


class Video(NamedTuple):
    """One uninterrupted video and the pose of each of its frames.

    `poses[t]` belongs to `frames[t]`. A test video whose true frames are unknown holds only the
    given frame: `frames` has the shape (1, H, W, 3), and `has_truth` is false.

    Args:
        name: of the video in messages, tables and file names.
        frames: (T, H, W, 3) RGB, uint8 or float32 in [0, 1].
        poses: (T, H, W, 3), the pose images, uint8 or float32 in [0, 1].

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


# A list of videos or of pairs (frames, poses), or a single one of either.
Videos: TypeAlias = (
    Video
    | tuple[np.ndarray, np.ndarray]
    | Sequence[Video]
    | Sequence[tuple[np.ndarray, np.ndarray]]
)


def check_images(images: np.ndarray, what: str) -> np.ndarray:
    """Checks an array of images from the user, and returns it as uint8 or float32.

    uint8 arrays, memory-mapped ones too, are returned without being read or copied; floats become
    float32.

    Args:
        images: (T, H, W, 3) RGB, uint8 in [0, 255] or floats in [0, 1].
        what: how messages name the array, such as `"frames of video 0"`.

    Returns:
        The same images, uint8 or float32.

    Raises:
        UserError: for another shape, type or range of values.
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
        frames: (T, H, W, 3) RGB, uint8 in [0, 255] or floats in [0, 1].
        poses: the same shape, the pose image of every frame.
        name: of the video.

    Returns:
        The video; floats have become float32.

    Raises:
        UserError: for a wrong shape, type or range of values, or if frames and poses differ in
            length or size.
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


def as_videos(videos: Any) -> list[Video]:
    """Checks videos in any form in which they may be passed. All must have their true frames.

    Args:
        videos: `Videos`, or an object whose attribute `videos` is such a list, like `Clips`.

    Returns:
        The videos, all of one frame size and type.

    Raises:
        UserError: for no video, another type, arrays that do not fit, or a video without truth.
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
            frames, poses = video
            checked.append(check_video(frames, poses, f"video {index}"))
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
