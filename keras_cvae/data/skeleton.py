"""Joints, limb colours, and pose images: a coloured skeleton on black."""

import numbers

import cv2
import numpy as np

from keras_cvae.errors import UserError, first_line
from keras_cvae.images import chosen_frame_size

# The 17 COCO keypoints in their order, which detectors give, and the toes.
JOINTS = (
    "nose",
    "left_eye",
    "right_eye",
    "left_ear",
    "right_ear",
    "left_shoulder",
    "right_shoulder",
    "left_elbow",
    "right_elbow",
    "left_wrist",
    "right_wrist",
    "left_hip",
    "right_hip",
    "left_knee",
    "right_knee",
    "left_ankle",
    "right_ankle",
    "left_toe",
    "right_toe",
)

# (start, end, RGB). The neck is the point between the shoulders. The dancer's left has cool colours
# and the right warm ones, so a front view differs from a back view.
LIMBS = (
    ("neck", "left_hip", (130, 90, 255)),
    ("neck", "right_hip", (255, 90, 190)),
    ("left_hip", "left_knee", (0, 110, 255)),
    ("right_hip", "right_knee", (255, 70, 40)),
    ("left_knee", "left_ankle", (0, 190, 255)),
    ("right_knee", "right_ankle", (255, 150, 0)),
    ("left_ankle", "left_toe", (150, 235, 255)),
    ("right_ankle", "right_toe", (255, 225, 130)),
    ("neck", "left_shoulder", (70, 60, 255)),
    ("neck", "right_shoulder", (255, 40, 110)),
    ("neck", "nose", (235, 235, 235)),
    ("nose", "left_eye", (120, 255, 160)),
    ("left_eye", "left_ear", (40, 200, 120)),
    ("nose", "right_eye", (255, 255, 90)),
    ("right_eye", "right_ear", (190, 190, 30)),
    ("left_shoulder", "left_elbow", (0, 200, 90)),
    ("right_shoulder", "right_elbow", (230, 200, 0)),
    ("left_elbow", "left_wrist", (90, 255, 90)),
    ("right_elbow", "right_wrist", (255, 255, 40)),
)

SHIFT = 4  # fractional bits of OpenCV coordinates
FARTHEST = 1e6  # pixels: beyond, coordinates on the canvas would not be exact, or overflow
_LINE = 0.05  # of the image's shorter side: the width of the lines
MAX_LINE = 32767  # pixels of the canvas, OpenCV's own bound
_INDEX = {name: i for i, name in enumerate(JOINTS)} | {"neck": len(JOINTS)}
_STARTS = np.array([_INDEX[start] for start, _, _ in LIMBS])
_ENDS = np.array([_INDEX[end] for _, end, _ in LIMBS])
_COLOURS = [colour for _, _, colour in LIMBS]


def supersampling(frame_size: tuple[int, int]) -> int:
    """The factor by which a frame is drawn larger and then shrunk; it is larger for small frames.

    Args:
        frame_size: `(height, width)`.
    """
    return 4 if min(frame_size) <= 96 else 2


def line_width(frame_size: tuple[int, int]) -> int:
    """The width of the lines where none is asked for, in pixels of the enlarged canvas.

    Args:
        frame_size: `(height, width)`.
    """
    return _line_width(_LINE * min(frame_size), supersampling(frame_size))


def to_canvas(points: np.ndarray, scale: float) -> np.ndarray:
    """Converts points of the frame to OpenCV's fixed-point coordinates on an enlarged canvas.

    Points are continuous: (0, 0) is the corner of the image, (0.5, 0.5) the centre of its first
    pixel. In OpenCV's coordinates that centre is 0.

    Args:
        points: (..., 2), in pixels of the frame.
        scale: pixels of the canvas per pixel of the frame.

    Returns:
        (..., 2) int32, with `SHIFT` fractional bits.
    """
    return np.round((points * scale - 0.5) * (1 << SHIFT)).astype(np.int32)


def draw_skeleton(
    joints: np.ndarray,
    frame_size: tuple[int, int],
    depth: np.ndarray | None = None,
    thickness: float | None = None,
) -> np.ndarray:
    """Draws one person's joints as a coloured skeleton on black.

    Lines are anti-aliased and keep sub-pixel positions. Where two limbs cross, the nearer one is on
    top if `depth` is given, otherwise the later one in `LIMBS`.

    Args:
        joints: (19, 2), x and y in pixels for each of `JOINTS`; (0, 0) is the top left corner of
            the image. A joint that is not visible is NaN, infinite, exactly (0, 0) or exactly
            (-1, -1), as OpenPose and others write it: its limbs are left out. So is one that lies
            more than a million pixels away. (17, 2), COCO keypoints without the toes, is possible
            too.
        frame_size: `(height, width)` of the image.
        depth: (19,) or (17,); a larger value is nearer to the camera.
        thickness: positive, the width of the lines in pixels; `None` takes 0.05 of the image's
            shorter side.

    Returns:
        (height, width, 3) uint8 RGB.

    Raises:
        UserError: if `joints` or `depth` have another shape or hold no numbers, or `frame_size` or
            `thickness` are not possible.

    Example:
        >>> pose = draw_skeleton(joints, (32, 64))
    """
    height, width = frame_size = chosen_frame_size(frame_size)
    joints = _complete(_without_unseen(_floats(joints, "joints")), "joints", 2)
    scale = supersampling(frame_size)
    line = line_width(frame_size) if thickness is None else _line_width(thickness, scale)
    canvas = np.zeros((height * scale, width * scale, 3), np.uint8)

    seen = ~np.isnan(joints).any(axis=1)
    seen = seen[_STARTS] & seen[_ENDS]
    order = np.arange(len(LIMBS))
    if depth is not None:
        depth = _complete(_floats(depth, "depth")[..., None], "depth", 1)[:, 0]
        order = np.argsort(depth[_STARTS] + depth[_ENDS], kind="stable")
    points = to_canvas(np.where(np.isnan(joints), 0.0, joints), scale).tolist()
    for limb in order.tolist():
        if seen[limb]:
            start, end = points[_STARTS[limb]], points[_ENDS[limb]]
            cv2.line(canvas, start, end, _COLOURS[limb], line, cv2.LINE_AA, SHIFT)
    return cv2.resize(canvas, (width, height), interpolation=cv2.INTER_AREA)


def _floats(values: np.ndarray, name: str) -> np.ndarray:
    try:
        return np.asarray(values, np.float64)
    except (TypeError, ValueError, OverflowError) as error:
        raise UserError(
            f"draw_skeleton: {name} must be numbers, one row for each joint, as a NumPy array; got "
            f"{type(values).__name__} ({first_line(error)})."
        ) from error


def _without_unseen(joints: np.ndarray) -> np.ndarray:
    """Makes joints that are not visible NaN, before a neck is made of them."""
    if joints.ndim != 2:
        return joints  # an error that `_complete` raises
    unseen = (joints == 0).all(axis=-1) | (joints == -1).all(axis=-1)
    unseen |= ~(np.abs(joints) <= FARTHEST).all(axis=-1)  # NaN is not, either
    return np.where(unseen[..., None], np.nan, joints)


def _line_width(thickness: float, scale: int) -> int:
    if not isinstance(thickness, numbers.Real) or not 0 < thickness * scale <= MAX_LINE:
        raise UserError(
            f"draw_skeleton: thickness must be positive and at most {MAX_LINE // scale} pixels; "
            f"got {thickness!r}. Leave it out to fit the size of the image."
        )
    return max(1, round(thickness * scale))


def _complete(values: np.ndarray, name: str, width: int) -> np.ndarray:
    """Adds missing toes as NaN, and the neck."""
    count = len(JOINTS)
    if values.shape not in ((count, width), (count - 2, width)):
        shape = f"({count}, {width})" if width > 1 else f"({count},)"
        got = values.shape if width > 1 else values.shape[:1]
        raise UserError(
            f"draw_skeleton: {name} has shape {got}, but one value for each joint of "
            f"keras_cvae.data.skeleton.JOINTS is needed: {shape}, or {count - 2} without the toes."
        )
    left, right = _INDEX["left_shoulder"], _INDEX["right_shoulder"]
    toes = np.full((count - len(values), width), np.nan)
    return np.concatenate([values, toes, values[None, [left, right]].mean(axis=1)])
