"""The dancer's head: a ball with a face on one side and a pony tail on the other."""

import numpy as np

from keras_cvae.data.synthetic.body import HEAD_RADIUS, Body
from keras_cvae.data.synthetic.shapes import Projection, Shape, rounded, solid

SKIN, SKIN_SHADE = (238, 182, 144), (205, 149, 118)
HAIR, TIE = (62, 36, 28), (250, 206, 70)
EYE, MOUTH = (48, 30, 30), (190, 70, 70)

# Patches on the ball: their middle as (left, up, forward), half their opening in degrees, colour.
_PATCHES = (
    ((0, -0.55, 1), 64, SKIN_SHADE),
    ((-0.12, -0.5, 1), 55, SKIN),
    ((0.42, -0.2, 1), 8, EYE),
    ((-0.42, -0.2, 1), 8, EYE),
    ((0.12, -0.72, 1), 7, MOUTH),
    ((-0.12, -0.72, 1), 7, MOUTH),
)


def head_shapes(body: Body, project: Projection) -> list[Shape]:
    """The shapes of hair, face, eyes and mouth.

    Args:
        body: the dancer in space.
        project: from there to the picture.
    """
    centre, depth = project(body.joints["head"]), body.joints["head"][:, 2]
    radius = HEAD_RADIUS * project.scale
    shapes = rounded(centre, centre, 1.06 * radius, 1.06 * radius, HAIR, depth)
    for middle, opening, colour in _PATCHES:
        ring, visible = _patch(body.head_axes, np.array(middle), np.radians(opening))
        points = centre[:, None] + ring * np.array([radius, -radius])
        shapes.append(solid(points, colour, depth, visible))
    return shapes


def tail_shapes(body: Body, project: Projection) -> list[Shape]:
    """The shapes of the pony tail at the back of the head, and of its tie.

    Args:
        body: the dancer in space.
        project: from there to the picture.
    """
    up, ahead = HEAD_RADIUS * body.head_axes[:, 1], HEAD_RADIUS * body.head_axes[:, 2]
    root = body.joints["head"] + 0.45 * up - ahead
    end = project(root - 0.5 * ahead - 1.5 * up)
    root, depth, size = project(root), body.joints["head"][:, 2], project.scale
    hair = rounded(root, end, 0.036 * size, 0.018 * size, HAIR, depth)
    return hair + rounded(root, root, 0.028 * size, 0.028 * size, TIE, depth)


def _patch(axes: np.ndarray, middle: np.ndarray, opening: float) -> tuple[np.ndarray, np.ndarray]:
    """The visible part of a round patch on the unit ball, seen from the front.

    Args:
        axes: (T, 3, 3), the head's left, up and forward.
        middle: (3,), the patch's middle in these axes, of any length.
        opening: angle between the middle and the edge, in radians.

    Returns:
        Its outline, (T, K, 2), x to the right and y up, and whether any of it is visible, (T,).
    """
    middle = middle / np.linalg.norm(middle)
    side = np.cross((0.0, 1.0, 0.0), middle)
    side = side / np.linalg.norm(side)
    turn = np.linspace(0, 2 * np.pi, 24, endpoint=False)[:, None]
    edge = np.cos(turn) * side + np.sin(turn) * np.cross(middle, side)
    edge = np.cos(opening) * middle + np.sin(opening) * edge
    edge, middle = edge @ axes, middle @ axes

    # The part behind the ball's outline is replaced by the arc of the outline that lies between
    # the two points where the patch crosses it.
    towards = np.arctan2(middle[:, 1], middle[:, 0])[:, None]
    aside = np.maximum(np.hypot(middle[:, 0], middle[:, 1]), 1e-6)
    half_arc = np.arccos(np.clip(np.cos(opening) / aside, -1, 1))[:, None]
    away = np.arctan2(edge[..., 1], edge[..., 0]) - towards
    away = np.clip((away + np.pi) % (2 * np.pi) - np.pi, -half_arc, half_arc) + towards
    outline = np.stack([np.cos(away), np.sin(away)], axis=-1)
    hidden = edge[..., 2] < 0
    return np.where(hidden[..., None], outline, edge[..., :2]), ~hidden.all(axis=1)
