"""The JSON shapes of AlphaPose, COCO, MMPose and MediaPipe."""

import re
from itertools import chain
from pathlib import Path
from typing import Any

import numpy as np

from keras_cvae.errors import UserError
from keras_cvae.files import read_json
from keras_cvae.poses.keypoint_formats import MEDIAPIPE_POINTS
from keras_cvae.poses.keypoint_table import MAX_FRAMES, Table, table_of, with_scores

_SHAPES = (
    "Expected are the results of AlphaPose or COCO (a list of image_id and keypoints), of MMPose "
    "(instance_info, or a list of instances by frame), or a list by frame of MediaPipe's landmarks."
)
_ENDING = re.compile(r"\.[A-Za-z][A-Za-z0-9]*$")


def read_json_people(path: Path) -> Table:
    """Reads a JSON file of everybody in all frames. See `keypoints.read_keypoints` for the shapes.

    Args:
        path: of the file.

    Returns:
        `Table`.

    Raises:
        UserError: if it cannot be read or has another shape; the message names the frame.
    """
    data = read_json(path, "The keypoint file")
    if isinstance(data, dict) and "instance_info" in data:
        data = data["instance_info"]
    if isinstance(data, dict) and "people" in data:
        raise UserError(f"{path} is one frame of OpenPose. Give the folder of all its files.")
    if not isinstance(data, list):
        raise UserError(f"{path} holds {shown(data)}. {_SHAPES}")
    sample = next((entry for entry in data if entry), None)
    by_image = isinstance(sample, dict) and "image_id" in sample
    if by_image:
        frames = _by_image(data, path)
        first = 1 if 0 not in frames and 1 in frames else 0
    elif isinstance(sample, dict):
        frames = _by_frame_id(data, path)
        first = min(frames)
    else:
        frames = {n: _people_of(frame, f"{path}: frame {n}") for n, frame in enumerate(data)}
        first = 0
    people = {
        number: [person_of(each, f"{path}: frame {number}") for each in found]
        for number, found in frames.items()
    }
    return table_of(path, people, first)._replace(lists_all=not by_image)


def person_of(found: Any, where: str) -> np.ndarray:
    """Converts one person of a JSON file.

    Args:
        found: an object with `pose_keypoints_2d` or `keypoints`, either x, y and score of each
            point in turn or a list of points, maybe with `keypoint_scores`; or a list of points,
            each of which is a list or an object with `x`, `y` and maybe `visibility`.
        where: the begin of an error, such as `"people.json: frame 3"`.

    Returns:
        (K, 3) float64: x, y and score of each point. A score that is not there is 1.

    Raises:
        UserError: if it has another shape, or something else than numbers.
    """
    record = found if isinstance(found, dict) else {"keypoints": found}
    points = record.get("pose_keypoints_2d", record.get("keypoints"))
    if not isinstance(points, list) or not points:
        raise UserError(f"{where}: a person is {shown(found)}; expected are its keypoints.")
    if isinstance(points[0], dict):
        return with_scores(_numbers([_landmark(each, where) for each in points], where), where)
    if not isinstance(points[0], list):
        points = [points[start : start + 3] for start in range(0, len(points), 3)]
    values = _numbers(points, where)
    if "keypoint_scores" in record:
        scores = record["keypoint_scores"]
        if not isinstance(scores, list) or len(scores) != len(points) or values.shape[1] != 2:
            raise UserError(
                f"{where}: {len(points)} keypoints of {values.shape[1]} numbers have the "
                f"keypoint_scores {shown(scores)}; expected are x and y, and one score for each."
            )
        return np.concatenate([values, _numbers([scores], where).T], axis=1)
    if record is not found and values.shape == (MEDIAPIPE_POINTS, 3):
        values = values[:, :2]  # the third number of MediaPipe is the depth
    return with_scores(values, where)


def shown(value: Any) -> str:
    """A value of a JSON file in a message: in one line, and not long."""
    if isinstance(value, list):
        return f"a list of {len(value)}"
    if isinstance(value, dict):
        names = [shown(name) for name in list(value)[:5]]
        return f"an object with {', '.join(names)}" if names else "an empty object"
    text = ascii(value)
    return text if len(text) <= 60 else text[:57] + "..."


def _by_image(entries: list[Any], path: Path) -> dict[int, list[Any]]:
    frames: dict[int, list[Any]] = {}
    for place, entry in enumerate(entries):
        if not isinstance(entry, dict) or "image_id" not in entry:
            raise UserError(f"{path}: entry {place} is {shown(entry)}; expected is an image_id.")
        frames.setdefault(_image_number(entry["image_id"], path), []).append(entry)
    return frames


def _image_number(name: Any, path: Path) -> int:
    """The last number of a name without its ending, such as 12 of `frame_000012.jpg`."""
    if isinstance(name, str):
        digits = re.findall("[0-9]+", _ENDING.sub("", name))
        # Python converts no number of thousands of digits.
        name = int(digits[-1]) if digits and len(digits[-1]) < 100 else name
    if type(name) is not int or not 0 <= name <= MAX_FRAMES:  # a bool is no number
        raise UserError(
            f"{path}: image_id is {shown(name)}; expected is a number from 0 to {MAX_FRAMES}, or a "
            "name such as frame_000012.jpg. Number the frames of one video."
        )
    return name


def _by_frame_id(entries: list[Any], path: Path) -> dict[int, list[Any]]:
    frames: dict[int, list[Any]] = {}
    for place, entry in enumerate(entries):
        found = entry.get("instances") if isinstance(entry, dict) else None
        if not isinstance(found, list):
            raise UserError(f"{path}: entry {place} is {shown(entry)}. {_SHAPES}")
        number = entry.get("frame_id", place)
        if type(number) is not int or number < 0 or number in frames:
            raise UserError(
                f"{path}: entry {place} has the frame_id {shown(number)}; expected is a number "
                "that no other frame has."
            )
        frames[number] = found
    return frames


def _people_of(frame: Any, where: str) -> list[Any]:
    """The people of a frame that is a list of them, or one person's list of points."""
    if frame is None:
        return []
    if not isinstance(frame, list):
        raise UserError(f"{where} is {shown(frame)}. {_SHAPES}")
    first = frame[0] if frame else []
    if isinstance(first, dict):
        return [frame] if "x" in first else frame
    alone = isinstance(first, list) and bool(first) and not isinstance(first[0], list | dict)
    return [frame] if alone else frame


def _landmark(point: Any, where: str) -> list[Any]:
    if not isinstance(point, dict):
        raise UserError(f"{where}: a landmark is {shown(point)}; expected are x and y.")
    return [point.get(name) for name in ("x", "y", "visibility") if name in "xy" or name in point]


def _numbers(rows: list[Any], where: str) -> np.ndarray:
    """Converts rows of the same length; NumPy alone would take strings and booleans too."""
    wrong = next((row for row in rows if not isinstance(row, list)), None)
    if wrong is not None or len(set(map(len, rows))) != 1:
        lengths = sorted({len(row) if isinstance(row, list) else 0 for row in rows})
        raise UserError(
            f"{where}: the points of a person have {' and '.join(map(str, lengths[:5]))} numbers; "
            "expected is the same for each, such as x, y and score."
        )
    flat = list(chain.from_iterable(rows))
    if not set(map(type, flat)) <= {int, float}:
        bad = next(value for value in flat if type(value) not in (int, float))
        raise UserError(f"{where}: a keypoint holds {shown(bad)}; expected are numbers.")
    try:
        return np.array(flat, np.float64).reshape(len(rows), -1)
    except OverflowError as error:
        raise UserError(f"{where}: a number of a keypoint is too large.") from error
