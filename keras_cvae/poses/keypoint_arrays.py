"""Keypoints in NumPy files, and the joints of a data folder that this package wrote."""

from pathlib import Path

import numpy as np

from keras_cvae.data.dance_layout import SPLITS
from keras_cvae.data.joints import Joints, read_joints
from keras_cvae.errors import UserError
from keras_cvae.files import array_names, read_npy, read_npz
from keras_cvae.images import check_pixels
from keras_cvae.poses.keypoint_formats import MEDIAPIPE_POINTS
from keras_cvae.poses.keypoint_table import Table, check_bounds, with_scores

_POINTS, _OTHERS = ("joints", "keypoints"), ("scores", "frame_size", "fps")


def read_arrays(path: Path) -> Table:
    """Reads an `.npz` or `.npy` file. Nothing in it is run.

    Args:
        path: of the file. See `keypoints.read_keypoints` for the arrays.

    Returns:
        `Table`. Of a `joints.npz` of a data folder it has the longest video.

    Raises:
        UserError: if it is damaged or holds something else.
    """
    if path.suffix.lower() == ".npy":
        name, arrays = "the array", {"the array": read_npy(path)}
    elif set(Joints._fields) <= set(names := array_names(path)):
        return _longest(path, read_joints(path))
    else:
        name = _name_of_points(path, names)
        arrays = read_npz(path, [name, *(other for other in _OTHERS if other in names)])
    points = _floats(path, name, arrays[name])
    if points.ndim not in (3, 4) or 0 in points.shape:
        raise UserError(
            f"{path}: {name} has shape {points.shape}; expected is (frames, points, 2 or 3), or "
            "(frames, people, points, 2 or 3)."
        )
    people = points.shape[1] if points.ndim == 4 else 1
    check_bounds(path, len(points), people)
    values = with_scores(_without_depth(points), str(path))
    if "scores" in arrays:
        scores = _floats(path, "scores", arrays["scores"])
        if scores.shape != points.shape[:-1]:
            raise UserError(
                f"{path}: scores has shape {scores.shape}; expected is {points.shape[:-1]}, one "
                f"for each point of {name}."
            )
        values = np.concatenate([values[..., :2], scores[..., None]], axis=-1)
    return Table(
        values.reshape(-1, *values.shape[-2:]),
        np.repeat(np.arange(len(points)), people),
        len(points),
        _frame_size(path, arrays["frame_size"]) if "frame_size" in arrays else None,
        _fps(path, arrays["fps"]) if "fps" in arrays else None,
    )


def _name_of_points(path: Path, names: list[str]) -> str:
    known = [name for name in _POINTS if name in names]
    others = [name for name in names if name not in _OTHERS]
    if not known and len(others) != 1:
        raise UserError(
            f"{path} holds {', '.join(map(ascii, names[:9])) or 'no array'}; expected is one array "
            "of points, or one of the name joints or keypoints."
        )
    return (known or others)[0]


def _longest(path: Path, joints: Joints) -> Table:
    videos = {
        (split, name): found for split in SPLITS for name, found in joints.of_split(split).items()
    }
    if not videos:
        raise UserError(f"{path} has no joints of {', '.join(SPLITS)}. Make the data folder anew.")
    split, name = max(videos, key=lambda video: len(videos[video]))
    found = videos[split, name]
    points = np.stack([found[number] for number in sorted(found)])
    check_bounds(path, len(points), 1)
    return Table(
        with_scores(_floats(path, "joints", points), str(path)),
        np.arange(len(points)),
        len(points),
        _frame_size(path, joints.frame_size),
        float(joints.fps),
        f"joints of {'/'.join(filter(None, (split, name)))}, {len(points)} frames",
    )


def _floats(path: Path, name: str, values: np.ndarray) -> np.ndarray:
    if values.dtype.kind not in "fiu":
        raise UserError(f"{path}: {name} holds {values.dtype}; expected are numbers.")
    with np.errstate(all="ignore"):  # what becomes infinite counts as missing
        return values.astype(np.float64)


def _without_depth(points: np.ndarray) -> np.ndarray:
    """Leaves the third column of MediaPipe's points out if it is the depth, not the score."""
    if points.shape[-2:] != (MEDIAPIPE_POINTS, 3):
        return points
    third = points[..., 2][np.isfinite(points[..., 2])]
    # Depths lie around 0, the depth of the hips. Scores are not negative, nor all 0.
    return points[..., :2] if (third < 0).any() or not third.any() else points


def _frame_size(path: Path, size: np.ndarray) -> tuple[int, int]:
    sides = _floats(path, "frame_size", size)
    if sides.shape != (2,) or not ((sides >= 1) & (sides < np.inf)).all() or (sides % 1 != 0).any():
        raise UserError(
            f"{path}: frame_size is {size.tolist()}; expected is (height, width) in pixels. Mend "
            "it, or leave it out."
        )
    height, width = (int(side) for side in sides)
    check_pixels(height, width, f"frame_size of {path}")
    return height, width


def _fps(path: Path, fps: np.ndarray) -> float:
    rate = _floats(path, "fps", fps)
    if rate.shape != () or not 0 < rate < np.inf:
        raise UserError(
            f"{path}: fps is {fps.tolist()}; expected is one positive number. Mend it, or leave it "
            "out."
        )
    return float(rate)
