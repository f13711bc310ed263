"""Shaded shapes in the picture, for all frames at once."""

from collections.abc import Sequence
from typing import NamedTuple, TypeAlias

import numpy as np

_LIGHT = np.array([-0.6, -0.8])  # where the light comes from in the picture, y down
_SHADE = (0.74, 0.72, 0.78)

Colour: TypeAlias = Sequence[float] | np.ndarray  # RGB in [0, 255]


class Shape(NamedTuple):
    """A polygon in every frame.

    Args:
        points: (T, K, 2), in pixels of the frame.
        colours: (T, 3), RGB in [0, 255].
        visible: (T,), whether it is drawn.
    """

    points: np.ndarray
    colours: np.ndarray
    visible: np.ndarray


class Projection(NamedTuple):
    """From space to the picture: seen from the front and a little from above, no perspective.

    Args:
        scale: pixels of the frame per body height.
        origin: x and y in pixels of the frame, of the origin of space.
        tilt: a point that is nearer to the camera by 1 is further down in the picture by `tilt`.
    """

    scale: float
    origin: tuple[float, float]
    tilt: float = 0.2

    def __call__(self, points: np.ndarray) -> np.ndarray:
        """Points in body heights, (..., 3), to pixels of the frame, (..., 2)."""
        x = self.origin[0] + self.scale * points[..., 0]
        y = self.origin[1] - self.scale * (points[..., 1] - self.tilt * points[..., 2])
        return np.stack([x, y], axis=-1)


def shaded(colour: Colour) -> np.ndarray:
    """The colour on the side away from the light."""
    return np.array(colour) * _SHADE


def solid(
    points: np.ndarray, colour: Colour, depth: np.ndarray, visible: np.ndarray | None = None
) -> Shape:
    """A polygon of one colour, a little lighter in frames in which it is nearer.

    Args:
        points: (T, K, 2), in pixels.
        colour: RGB in [0, 255].
        depth: (T,), in body heights; larger is nearer.
        visible: (T,), whether it is drawn; `None` draws all.
    """
    light = np.clip(1 + 0.7 * depth, 0.78, 1.12)[:, None]
    colours = np.clip(np.array(colour) * light, 0, 255).round()
    return Shape(points, colours, np.ones(len(points), bool) if visible is None else visible)


def rounded(
    start: np.ndarray,
    end: np.ndarray,
    start_radius: float,
    end_radius: float,
    colour: Colour,
    depth: np.ndarray,
) -> list[Shape]:
    """A limb around the line between two points: its shaded outline, and its lit side.

    Args:
        start, end: (T, 2), in pixels.
        start_radius, end_radius: in pixels.
        colour: RGB of the lit side.
        depth: (T,), in body heights; larger is nearer.
    """
    lit_start = start + 0.3 * start_radius * _LIGHT
    lit_end = end + 0.3 * end_radius * _LIGHT
    return [
        solid(capsule(start, end, start_radius, end_radius), shaded(colour), depth),
        solid(capsule(lit_start, lit_end, 0.66 * start_radius, 0.66 * end_radius), colour, depth),
    ]


def capsule(
    start: np.ndarray, end: np.ndarray, start_radius: float, end_radius: float
) -> np.ndarray:
    """The outline around two discs.

    Args:
        start, end: (T, 2), the centres, in pixels.
        start_radius, end_radius: in pixels.

    Returns:
        (T, K, 2).
    """
    line = end - start
    turn = np.arctan2(line[:, 1], line[:, 0])[:, None] + np.linspace(np.pi / 2, 1.5 * np.pi, 7)
    half = np.stack([np.cos(turn), np.sin(turn)], axis=-1)
    outline = [start[:, None] + start_radius * half, end[:, None] - end_radius * half]
    return np.concatenate(outline, axis=1)
