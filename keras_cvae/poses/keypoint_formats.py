"""The layouts of keypoints that other tools write: which of their points is which of our joints."""

from typing import NamedTuple

import numpy as np

from keras_cvae.data.skeleton import FARTHEST, JOINTS
from keras_cvae.errors import UserError


class Layout(NamedTuple):
    """The points of one tool, in its order.

    Args:
        name: of the layout, for messages.
        places: (19,) for each of `data.skeleton.JOINTS`, which of the points it is; -1 where the
            layout has none.
    """

    name: str
    places: tuple[int, ...]


# Points that are none of our joints have the tools' names. The toe is the big one.
_COCO_18 = (
    *("nose", "neck", "right_shoulder", "right_elbow", "right_wrist"),
    *("left_shoulder", "left_elbow", "left_wrist"),
    *("right_hip", "right_knee", "right_ankle", "left_hip", "left_knee", "left_ankle"),
    *("right_eye", "left_eye", "right_ear", "left_ear"),
)
_BODY_25 = (
    *_COCO_18[:8],
    "mid_hip",
    *_COCO_18[8:],
    *("left_toe", "left_small_toe", "left_heel", "right_toe", "right_small_toe", "right_heel"),
)
# Of MediaPipe's face it is the middle of each eye.
_MEDIAPIPE = (0, 2, 5, 7, 8, 11, 12, 13, 14, 15, 16, 23, 24, 25, 26, 27, 28, 31, 32)
MEDIAPIPE_POINTS = 33


def _places(points: tuple[str, ...]) -> tuple[int, ...]:
    return tuple(points.index(joint) if joint in points else -1 for joint in JOINTS)


# By the number of points.
LAYOUTS = {
    17: Layout("COCO-17", _places(JOINTS[:17])),
    18: Layout("OpenPose COCO-18", _places(_COCO_18)),
    len(JOINTS): Layout("keras_cvae-19", _places(JOINTS)),
    25: Layout("OpenPose BODY_25", _places(_BODY_25)),
    MEDIAPIPE_POINTS: Layout("MediaPipe-33", _MEDIAPIPE),
}


def layout_of(points: int) -> Layout:
    """The layout that has so many points.

    Args:
        points: their number, K.

    Returns:
        `Layout`.

    Raises:
        UserError: if none has; the message lists those that are known.

    Example:
        >>> layout_of(25).name
        'OpenPose BODY_25'
    """
    if points not in LAYOUTS:
        known = ", ".join(f"{number} ({layout.name})" for number, layout in LAYOUTS.items())
        raise UserError(
            f"A person has {points} points, which is no known layout. Known are {known}. Convert "
            "the points to one of them."
        )
    return LAYOUTS[points]


def to_joints(
    points: np.ndarray, scores: np.ndarray | None = None
) -> tuple[np.ndarray, np.ndarray]:
    """Picks our joints out of the points of another tool.

    A point counts as missing if it is NaN, infinite, exactly (0, 0) or exactly (-1, -1), more than
    a million pixels away, or if its score is not positive.

    Args:
        points: (..., K, 2), x and y of the K points of one of `LAYOUTS`.
        scores: (..., K), how sure the tool is of each point; `None` if it does not say.

    Returns:
        joints: (..., 19, 2) float64, x and y for each of `data.skeleton.JOINTS`, in the units of
            `points`; NaN where a joint is missing, or the layout has none.
        scores: (..., 19) float64 in [0, 1]; 0 where the joint is NaN, and 1 at all others if no
            scores were given. Higher scores than 1, which AlphaPose can give, become 1.

    Raises:
        UserError: if K is none of `LAYOUTS`.

    Example:
        >>> joints, sure = to_joints(body_25[:, :2], body_25[:, 2])
        >>> joints.shape, sure.shape
        ((19, 2), (19,))
    """
    points = np.asarray(points, np.float64)
    places = np.array(layout_of(points.shape[-2]).places)
    known = places >= 0
    given = np.ones(points.shape[:-1]) if scores is None else np.asarray(scores, np.float64)
    joints = np.full((*points.shape[:-2], len(JOINTS), 2), np.nan)
    joints[..., known, :] = points[..., places[known], :]
    sure = np.zeros(joints.shape[:-1])
    sure[..., known] = given[..., places[known]]
    found = ~(joints == 0).all(axis=-1) & ~(joints == -1).all(axis=-1)
    found &= (np.abs(joints) <= FARTHEST).all(axis=-1) & (sure > 0)  # NaN is neither
    joints[~found] = np.nan
    return joints, np.where(found, np.minimum(sure, 1.0), 0.0)
