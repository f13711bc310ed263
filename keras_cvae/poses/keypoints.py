"""Keypoint files of other tools: everybody in each frame, as our joints in pixels."""

import os
from pathlib import Path
from typing import NamedTuple

import numpy as np

from keras_cvae.errors import UserError
from keras_cvae.images import chosen_frame_size
from keras_cvae.poses.keypoint_arrays import read_arrays
from keras_cvae.poses.keypoint_folder import read_folder
from keras_cvae.poses.keypoint_formats import MEDIAPIPE_POINTS, layout_of, to_joints
from keras_cvae.poses.keypoint_json import read_json_people
from keras_cvae.poses.keypoint_table import Table, nobody
from keras_cvae.poses.person import Person

_READERS = {".json": read_json_people, ".npz": read_arrays, ".npy": read_arrays}
_RELATIVE = 2.0  # of the image's sides; MediaPipe places points a little outside of the image too
_SAME_ASPECT = 0.02  # frames of videos are rounded to even sides


class Keypoints(NamedTuple):
    """Everybody in each frame of a video, as another tool found them.

    Args:
        people: by frame number from 0: everybody found in it, empty where nobody was.
        frame_size: (height, width) of the images that the pixels refer to, `None` if not known.
        fps: frames per second, `None` if not known.
        kind: what the file holds, such as `"OpenPose BODY_25"`, `"COCO-17"` or `"MediaPipe-33"`.
        lists_all: whether each frame has an entry. AlphaPose and COCO list people alone, so that
            frames with nobody at the end are not known, nor the number of the first.
    """

    people: list[list[Person]]
    frame_size: tuple[int, int] | None
    fps: float | None
    kind: str
    lists_all: bool = True


def read_keypoints(path: str | os.PathLike, frame_size: tuple[int, int] | None = None) -> Keypoints:
    """Reads the keypoints that another tool found in a video. Nothing in the file is run.

    A person has 17 points (COCO), 18 (OpenPose's COCO with a neck), 19 (`data.skeleton.JOINTS`), 25
    (OpenPose's BODY_25) or 33 (MediaPipe). Points that are missing are NaN, exactly (0, 0) or
    exactly (-1, -1), or have no positive score.

    Args:
        path: one of

            - a folder of OpenPose, `000000000012_keypoints.json` and so on, one for each frame. The
              lowest number is frame 0.
            - `.json` of AlphaPose or COCO results: a list of objects with `image_id`, a number or a
              name such as `12.jpg`, and `keypoints`, x, y and score in turn. The numbers begin at
              1 if there is a 1 and no 0, else at 0.
            - `.json` of MMPose: `instance_info`, or that list alone, or a list by frame of lists of
              instances, which have `keypoints` and `keypoint_scores`.
            - `.json` of MediaPipe: a list by frame of 33 landmarks `[x, y, z, visibility]` or
              objects of these names, or of lists of people of 33 landmarks; null or an empty list
              where nobody was found.
            - `.npz` with an array `joints` or `keypoints`, or one array of any name, and maybe
              `scores` (T, K) or (T, P, K), `frame_size` (height, width) and `fps`; or `.npy`. The
              array is (T, K, C) or (T, P, K, C), of T frames, P people and K points, where C is 2
              for x and y, or 3 with the score, or 4 for MediaPipe's x, y, z and visibility.
            - the `joints.npz` of a data folder, of which the longest video is taken.
        frame_size: (height, width) in pixels of the images that the result refers to. `None` takes
            that of the file. MediaPipe's coordinates, which are relative to the image, need either.
            Pixels of a file of another size are scaled.

    Returns:
        `Keypoints`. A person without a single joint of ours is left out.

    Raises:
        UserError: if the file cannot be read, is damaged, holds something else or nobody, or does
            not fit `frame_size`; the message names it.

    Example:
        >>> found = read_keypoints("dance/keypoints", (720, 1280))
        >>> found.kind, len(found.people), found.people[0][0].joints.shape
        ('OpenPose BODY_25', 300, (19, 2))
    """
    path = Path(path)
    if frame_size is not None:
        frame_size = chosen_frame_size(frame_size)
    table = _read(path)
    points = table.values.shape[1]
    try:
        layout = layout_of(points)
    except UserError as error:
        raise UserError(f"{path}: {error}") from error
    joints, scores = to_joints(table.values[..., :2], table.values[..., 2])
    relative = points == MEDIAPIPE_POINTS and _is_relative(joints)
    if (factors := _factors(path, table.frame_size, frame_size, relative)) != (1.0, 1.0):
        joints, scores = to_joints(joints * factors, scores)  # none is too far away in these pixels
    people: list[list[Person]] = [[] for _ in range(table.frames)]
    found = np.flatnonzero((scores > 0).any(axis=1)).tolist()
    if not found:
        raise nobody(path, table.frames)
    for row in found:
        people[table.frame[row]].append(Person(joints[row], scores[row]))
    kind = table.kind or layout.name
    return Keypoints(
        people, frame_size or table.frame_size, table.fps, kind, lists_all=table.lists_all
    )


def _read(path: Path) -> Table:
    if not os.path.exists(path):
        raise UserError(f"There is no file or folder at {path}. Give the path of keypoints.")
    if os.path.isdir(path):
        return read_folder(path)
    if path.suffix.lower() not in _READERS:
        raise UserError(
            f"{path}: the ending {path.suffix!r} is none of keypoints. Expected is a folder of "
            "OpenPose, a .json file of AlphaPose, COCO, MMPose or MediaPipe, or a NumPy file .npz "
            "or .npy."
        )
    return _READERS[path.suffix.lower()](path)


def _is_relative(joints: np.ndarray) -> bool:
    """Whether coordinates are fractions of the image's sides: most joints lie within two of them.

    Not all, as a joint that MediaPipe guesses may lie far outside of the image.
    """
    farther = np.abs(joints[~np.isnan(joints).any(axis=-1)]).max(axis=-1)
    return bool(farther.size) and float(np.median(farther)) <= _RELATIVE


def _factors(
    path: Path, own: tuple[int, int] | None, wanted: tuple[int, int] | None, relative: bool
) -> tuple[float, float]:
    """By what x and y are multiplied."""
    size = wanted or own
    if relative:
        if size is None:
            raise UserError(
                f"{path}: its coordinates are relative to the image, as MediaPipe gives them, and "
                "the size of the image is not known. Give the video that they are of, or the frame "
                "size."
            )
        return float(size[1]), float(size[0])
    if own is None or size is None or own == size:
        return 1.0, 1.0
    across, down = size[1] / own[1], size[0] / own[0]
    if abs(across / down - 1) > _SAME_ASPECT:
        raise UserError(
            f"{path} is of frames of {own[0]} x {own[1]} pixels (height x width), which have "
            f"another shape than {size[0]} x {size[1]}. Give the video that it was made of."
        )
    return across, down
