"""Videos mirrored left to right, with their poses redrawn: left and right joints change places."""

from collections.abc import Sequence

import numpy as np

from keras_cvae.data.joints import Joints, joints_of_videos
from keras_cvae.data.skeleton import JOINTS, draw_skeleton
from keras_cvae.data.videos import Video
from keras_cvae.images import empty_images
from keras_cvae.progress import Progress

_OTHER = {"left": "right", "right": "left"}


def _of_other_side(name: str) -> str:
    side, _, part = name.partition("_")
    return f"{_OTHER[side]}_{part}" if side in _OTHER else name


_SWAPPED = [JOINTS.index(_of_other_side(name)) for name in JOINTS]


def mirrored_joints(joints: np.ndarray, width: float) -> np.ndarray:
    """Joints as a mirror shows them: x becomes width - x, and left and right change places.

    Args:
        joints: (..., 19, 2), x and y in pixels for each of `skeleton.JOINTS`. NaN stays NaN.
        width: of the image in pixels.

    Returns:
        Array of the same shape and type.

    Example:
        >>> pose = draw_skeleton(mirrored_joints(joints, 64), (32, 64))
    """
    swapped = joints[..., _SWAPPED, :].copy()
    swapped[..., 0] = width - swapped[..., 0]
    return swapped


def mirrored_videos(videos: Sequence[Video], joints: Joints, split: str = "train") -> list[Video]:
    """The mirrored twin of each video of a split.

    Frames are flipped left to right. Poses are drawn anew from the mirrored joints, so that the
    person's left arm, which is now a right one, has the colours of a right arm.

    Args:
        videos: of the split, as `read_split` gives them: its names tell which joints are theirs.
        joints: of the data folder.
        split: `"train"`, `"val"` or `"test"`.

    Returns:
        A `Video` for each, in the same order, `NAME_mirrored`, of the same size. Its frames are a
        view of the given ones.

    Raises:
        UserError: if a video has no joints, or another number of frames than its joints.

    Example:
        >>> videos = read_split("me", "train", frame_size=(64, 64))
        >>> twins = mirrored_videos(videos, read_joints("me/joints.npz"))
    """
    found = joints_of_videos(videos, joints, split)
    with Progress(sum(len(video.frames) for video in videos), "mirroring poses") as progress:
        return [_mirrored(video, own, progress) for video, own in zip(videos, found, strict=True)]


def _mirrored(video: Video, own: np.ndarray, progress: Progress) -> Video:
    height, width = video.frames.shape[1:3]
    poses = empty_images(len(own), height, width, "Train without mirroring.")
    for t, person in enumerate(mirrored_joints(own, width)):
        poses[t] = draw_skeleton(person, (height, width))
        progress.update()
    return Video(f"{video.name}_mirrored", video.frames[:, :, ::-1], poses)
