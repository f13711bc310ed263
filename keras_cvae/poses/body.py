"""A body measured by its joints: bones, their lengths, its height."""

import warnings
from collections.abc import Callable
from typing import Any

import numpy as np

from keras_cvae.data.skeleton import JOINTS

_INDEX = {name: number for number, name in enumerate(JOINTS)}
HIPS, NECK = len(JOINTS), len(JOINTS) + 1  # the middle of the hips, and of the shoulders
_TREE = (
    ("hips", "neck"),
    ("hips", "left_hip"),
    ("hips", "right_hip"),
    ("neck", "left_shoulder"),
    ("neck", "right_shoulder"),
    ("neck", "nose"),
    ("nose", "left_eye"),
    ("nose", "right_eye"),
    ("left_eye", "left_ear"),
    ("right_eye", "right_ear"),
    ("left_shoulder", "left_elbow"),
    ("right_shoulder", "right_elbow"),
    ("left_elbow", "left_wrist"),
    ("right_elbow", "right_wrist"),
    ("left_hip", "left_knee"),
    ("right_hip", "right_knee"),
    ("left_knee", "left_ankle"),
    ("right_knee", "right_ankle"),
    ("left_ankle", "left_toe"),
    ("right_ankle", "right_toe"),
)
_ALL = _INDEX | {"hips": HIPS, "neck": NECK}
# (start, end) of each bone as numbers, from the hips outward: a start comes before its ends.
BONES = tuple((_ALL[start], _ALL[end]) for start, end in _TREE)
BONE_NAMES = tuple(f"{start} to {end}" for start, end in _TREE)
CORE = tuple(_INDEX[f"{side}_{part}"] for part in ("shoulder", "hip") for side in ("left", "right"))
_LENGTHY = 90  # percentile: a bone seen from its side has its full length
# Of an adult: shoulders to hips times this is shoulders to ankles. Used where no leg is seen.
_TORSO_TO_BODY = 2.6


def with_middles(joints: np.ndarray) -> np.ndarray:
    """Adds the middles of the hips and of the shoulders: (..., 19, 2) -> (..., 21, 2)."""
    sides = [
        [_INDEX[f"{side}_{part}"] for side in ("left", "right")] for part in ("hip", "shoulder")
    ]
    middles = [joints[..., pair, :].mean(axis=-2, keepdims=True) for pair in sides]
    return np.concatenate([joints, *middles], axis=-2)


def bone_lengths(joints: np.ndarray) -> np.ndarray:
    """The length of each bone in the image.

    Args:
        joints: (T, 19, 2), NaN where a joint is not seen.

    Returns:
        (T, 20) in the units of the joints, in the order of `BONES`.
    """
    points = with_middles(joints)
    starts, ends = np.array(BONES).T
    return np.linalg.norm(points[:, ends] - points[:, starts], axis=-1)


def full_lengths(joints: np.ndarray) -> np.ndarray:
    """The full length of each bone: the 90th percentile over time; both sides share their mean.

    A bone that points at the camera looks short, so a mean would depend on the dance.

    Args:
        joints: (T, 19, 2).

    Returns:
        (20,) in the units of the joints; NaN for a bone that is never seen.
    """
    lengths = quiet(np.nanpercentile, bone_lengths(joints), _LENGTHY, axis=0)
    for left, right in _PAIRS:
        lengths[[left, right]] = quiet(np.nanmean, lengths[[left, right]])
    return lengths


def height(joints: np.ndarray) -> float:
    """The height of a body from the nose to the ankles, when it stands upright.

    The sum of its bones, which does not depend on squatting. Where no leg is seen it is estimated
    from the trunk.

    Args:
        joints: (T, 19, 2), at least one frame with shoulders and hips.

    Returns:
        In the units of the joints.
    """
    lengths = dict(zip(BONE_NAMES, full_lengths(joints), strict=True))
    trunk, legs = lengths["hips to neck"], lengths["left_hip to left_knee"]
    legs += lengths["left_knee to left_ankle"]
    head = np.nan_to_num(lengths["neck to nose"])
    return float(trunk * _TORSO_TO_BODY if np.isnan(legs) else trunk + legs) + float(head)


def floor_line(joints: np.ndarray) -> np.ndarray:
    """How low the lower foot is in each frame.

    Args:
        joints: (T, 19, 2).

    Returns:
        (T,) y of the lower ankle; NaN where none is seen.
    """
    ankles = [_INDEX["left_ankle"], _INDEX["right_ankle"]]
    return quiet(np.nanmax, joints[:, ankles, 1], axis=1)


def _pairs() -> list[tuple[int, int]]:
    places = {name: number for number, name in enumerate(BONE_NAMES)}
    return [
        (n, places[name.replace("left", "right")]) for name, n in places.items() if "left" in name
    ]


_PAIRS = _pairs()


def quiet(function: Callable[..., Any], *arguments: Any, **options: Any) -> Any:
    """Calls a function of NumPy that ignores NaN, without its warning where all values are NaN."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", RuntimeWarning)
        return function(*arguments, **options)
