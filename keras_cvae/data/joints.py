"""The joints of a data folder: what its pose images were drawn from."""

import json
import os
from collections.abc import Sequence
from pathlib import Path
from typing import NamedTuple

import numpy as np

from keras_cvae.data.skeleton import JOINTS
from keras_cvae.data.videos import Video
from keras_cvae.errors import UserError
from keras_cvae.files import read_json, read_npz, written_whole

JOINTS_FILE, INFO_FILE = "joints.npz", "dataset.json"
_KINDS = {
    "joints": "f",
    "split": "U",
    "sequence": "U",
    "number": "i",
    "frame_size": "i",
    "fps": "f",
}


class Joints(NamedTuple):
    """The joints of each image of a data folder, in the order of splits, videos and frames.

    Args:
        joints: (N, 19, 2) float32, x and y in pixels of the folder's images for each of
            `skeleton.JOINTS`. A joint that is not visible is NaN.
        split: (N,) text, `"train"`, `"val"` or `"test"`.
        sequence: (N,) text, the subfolder of the video, or `""` where a split has none.
        number: (N,) int64, the number of the image file.
        frame_size: (2,) int64, height and width of the images in pixels.
        fps: () float64, frames per second.
    """

    joints: np.ndarray
    split: np.ndarray
    sequence: np.ndarray
    number: np.ndarray
    frame_size: np.ndarray
    fps: np.ndarray

    def of_split(self, split: str) -> dict[str, dict[int, np.ndarray]]:
        """The joints of a split: dict name of the subfolder -> dict number -> (19, 2)."""
        found: dict[str, dict[int, np.ndarray]] = {}
        for row in np.flatnonzero(self.split == split).tolist():
            found.setdefault(str(self.sequence[row]), {})[int(self.number[row])] = self.joints[row]
        return found


def joined(parts: Sequence[Joints]) -> Joints:
    """The joints of several videos in one table; all have one frame size and rate."""
    tables = {name: [getattr(part, name) for part in parts] for name in Joints._fields}
    columns = {name: np.concatenate(tables[name]) for name in Joints._fields[:4]}
    return Joints(**columns, frame_size=parts[0].frame_size, fps=parts[0].fps)


def write_joints(path: str | os.PathLike, joints: Joints) -> None:
    """Writes joints as an `.npz` file, whole or not at all."""
    with written_whole(path) as partial, open(partial, "wb") as file:
        np.savez_compressed(file, **joints._asdict())


def read_joints(path: str | os.PathLike) -> Joints:
    """Reads the joints of a data folder. Nothing in the file is run.

    Args:
        path: of its `joints.npz`.

    Returns:
        `Joints`.

    Raises:
        UserError: if it is damaged or holds something else.
    """
    found = read_npz(path, Joints._fields)
    count = len(found["joints"]) if found["joints"].ndim else 0
    shapes: dict[str, tuple] = dict.fromkeys(("split", "sequence", "number"), (count,))
    shapes |= {"joints": (count, len(JOINTS), 2), "frame_size": (2,), "fps": ()}
    for name, array in found.items():
        if array.dtype.kind != _KINDS[name] or array.shape != shapes[name]:
            raise UserError(
                f"{path}: {name} is {array.dtype} of shape {array.shape}; expected is "
                f"{shapes[name]}. It is not of a data folder that scripts/make_dataset.py wrote."
            )
    if not count or min(found["frame_size"]) < 1 or not 0 < found["fps"] < np.inf:
        raise UserError(f"{path} holds no joints, no frame size, or no frame rate.")
    return Joints(**found)


def read_info(root: str | os.PathLike) -> dict:
    """What is known of a data folder: its `dataset.json`, or an empty dict where it has none.

    Args:
        root: the data folder.

    Returns:
        dict with `frame_size`, a pair (height, width) of ints, and whatever else was written.

    Raises:
        UserError: if the file cannot be read, or its frame size is not possible.
    """
    path = Path(root) / INFO_FILE
    if not path.exists():
        return {}
    info = read_json(path, "The description of the data")
    size = info.get("frame_size") if isinstance(info, dict) else None
    if not isinstance(size, list) or [type(side) for side in size] != [int, int] or min(size) < 1:
        raise UserError(
            f"{path}: frame_size must be [height, width]; got {json.dumps(size)}. Mend the file, "
            "or remove it."
        )
    return {**info, "frame_size": (size[0], size[1])}


def has_joints(root: str | os.PathLike) -> bool:
    """Whether a data folder has the joints that its poses were drawn from; nothing is read.

    Args:
        root: the data folder.
    """
    return (Path(root) / JOINTS_FILE).is_file()


def joints_of_videos(
    videos: Sequence[Video], joints: Joints, split: str = "train"
) -> list[np.ndarray]:
    """The joints of the videos of a split.

    Args:
        videos: of the split, as `read_split` gives them: its names tell which joints are theirs.
        joints: of the data folder.
        split: `"train"`, `"val"` or `"test"`.

    Returns:
        (T, 19, 2) for each video, in pixels of its frames, which may have another size than those
        of the folder.

    Raises:
        UserError: if a video has no joints, or another number of frames than its joints.
    """
    known, found = _by_video(joints, split), []
    for video in videos:
        own = known.get(video.name, np.empty((0, len(JOINTS), 2)))
        if len(own) != len(video.frames):
            raise UserError(
                f"{JOINTS_FILE} has {len(own)} frames of the video {video.name} and the folder has "
                f"{len(video.frames)}: it does not belong to these images. Make the data folder "
                f"again, or remove {JOINTS_FILE}."
            )
        scale = np.array(video.frames.shape[2:0:-1]) / joints.frame_size[::-1]
        found.append(own * scale)
    return found


def _by_video(joints: Joints, split: str) -> dict[str, np.ndarray]:
    """The joints of each video, (T, 19, 2), by the names that `dance_layout` gives to videos."""
    found = {}
    for folder, rows in joints.of_split(split).items():
        key = str(int(folder)) if folder.isascii() and folder.isdecimal() else folder
        name = f"{split}_{key}" if key else split
        numbers = np.array(sorted(rows))
        ends = np.flatnonzero(np.diff(numbers) > 1) + 1
        for piece in np.split(numbers, ends):
            suffix = f"_{piece[0]}-{piece[-1]}" if len(ends) else ""
            found[name + suffix] = np.stack([rows[number] for number in piece.tolist()])
    return found
