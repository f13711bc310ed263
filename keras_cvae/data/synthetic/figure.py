"""The dancer in the picture: coloured shapes around the joints, far ones first."""

import cv2
import numpy as np

from keras_cvae.data.skeleton import SHIFT, to_canvas
from keras_cvae.data.synthetic.body import Body
from keras_cvae.data.synthetic.head import SKIN, head_shapes, tail_shapes
from keras_cvae.data.synthetic.planner import SIDES
from keras_cvae.data.synthetic.shapes import (
    Colour,
    Projection,
    Shape,
    capsule,
    rounded,
    shaded,
    solid,
)

SHIRT, STRIPE = (232, 74, 58), (250, 236, 214)
TROUSERS = (52, 58, 116)
SHOE, SOLE = (246, 244, 238), (226, 88, 70)

# The trunk from the crotch to the neck: place along the spine, half width, half depth.
_TRUNK = np.array(
    [
        (-0.055, 0.05, 0.05),
        (-0.02, 0.09, 0.066),
        (0.02, 0.094, 0.066),
        (0.09, 0.074, 0.056),
        (0.15, 0.078, 0.058),
        (0.22, 0.1, 0.066),
        (0.27, 0.108, 0.056),
        (0.298, 0.08, 0.045),
        (0.312, 0.04, 0.04),
    ]
)
# Trousers, shirt and stripes: from, to (along the spine), colour.
_BANDS = (
    (-0.055, 0.05, TROUSERS),
    (0.035, 0.312, SHIRT),
    (0.08, 0.13, STRIPE),
    (0.17, 0.22, STRIPE),
)


class Figure:
    """The dancer in a number of frames, prepared for drawing.

    Shapes are computed for all frames at once; drawing a frame only fills polygons.

    Args:
        body: the dancer in space, in these frames.
        project: from there to the picture.
        supersampling: pixels of the canvas per pixel of the frame.
    """

    def __init__(self, body: Body, project: Projection, supersampling: int):
        self._project = project
        self._flat = {name: project(points) for name, points in body.joints.items()}
        self._depth = {name: points[:, 2] for name, points in body.joints.items()}
        parts = self._parts(body)
        self._order = np.argsort([depth for depth, _ in parts], axis=0, kind="stable").T.tolist()
        self._drawn = [
            [
                (to_canvas(s.points, supersampling), s.colours.tolist(), s.visible.tolist())
                for s in shapes
            ]
            for _, shapes in parts
        ]

    def draw(self, canvas: np.ndarray, t: int) -> None:
        """Draws frame `t` on an RGB canvas, (height, width, 3) uint8."""
        for part in self._order[t]:
            for points, colours, visible in self._drawn[part]:
                if visible[t]:
                    cv2.fillPoly(canvas, [points[t]], colours[t], cv2.LINE_AA, SHIFT)

    def _parts(self, body: Body) -> list[tuple[np.ndarray, list[Shape]]]:
        """The depth of each part, and its shapes in drawing order."""
        depth = self._depth
        head = depth["head"] + 0.02
        behind = -0.08 * body.head_axes[:, 2, 2]
        parts = [
            (depth["pelvis"], self._trunk(body)),
            (head, head_shapes(body, self._project)),
            (head + behind, tail_shapes(body, self._project)),
        ]
        for side in SIDES:
            hip, knee, ankle = (depth[f"{side}_{name}"] for name in ("hip", "knee", "ankle"))
            # The shirt covers the trousers, but not a thigh that is lifted in front of it.
            thigh = self._limb(f"{side}_hip", f"{side}_knee", 0.056, 0.042, TROUSERS)
            parts.append(((hip + knee) / 2 - 0.09, thigh))
            shin = self._limb(f"{side}_knee", f"{side}_ankle", 0.042, 0.032, TROUSERS)
            parts.append(((knee + ankle) / 2 - 0.07, shin))
            parts.append((ankle - 0.07, self._shoe(side)))

            # Relaxed arms have the depth of the trunk, and are drawn in front of it.
            shoulder, elbow, wrist = (depth[f"{side}_{n}"] for n in ("shoulder", "elbow", "wrist"))
            sleeve = self._limb(f"{side}_shoulder", f"{side}_elbow", 0.041, 0.034, SHIRT)
            parts.append(((shoulder + elbow) / 2 + 0.01, sleeve))
            forearm = self._limb(f"{side}_elbow", f"{side}_wrist", 0.03, 0.024, SKIN)
            parts.append(((elbow + wrist) / 2 + 0.012, forearm + self._hand(side)))
        return parts

    def _limb(
        self, start: str, end: str, start_radius: float, end_radius: float, colour: Colour
    ) -> list[Shape]:
        depth = (self._depth[start] + self._depth[end]) / 2
        size = self._project.scale
        radii = (start_radius * size, end_radius * size)
        return rounded(self._flat[start], self._flat[end], *radii, colour, depth)

    def _hand(self, side: str) -> list[Shape]:
        wrist, elbow = self._flat[f"{side}_wrist"], self._flat[f"{side}_elbow"]
        size, depth = self._project.scale, self._depth[f"{side}_wrist"]
        tip = wrist + 0.22 * (wrist - elbow)
        return rounded(wrist, tip, 0.03 * size, 0.026 * size, SKIN, depth)

    def _shoe(self, side: str) -> list[Shape]:
        ankle, heel, toe = (self._flat[f"{side}_{name}"] for name in ("ankle", "heel", "toe"))
        size, depth = self._project.scale, self._depth[f"{side}_ankle"]
        down = np.array([0, 0.012 * size])
        sole = capsule(heel + down, toe + down, 0.03 * size, 0.024 * size)
        return [
            solid(sole, SOLE, depth),
            *rounded(ankle, heel, 0.036 * size, 0.03 * size, SHOE, depth),
            *rounded(heel, toe, 0.032 * size, 0.026 * size, SHOE, depth),
        ]

    def _trunk(self, body: Body) -> list[Shape]:
        """Neck, trousers and striped shirt, as wide as the turned body appears."""
        size, depth = self._project.scale, self._depth["pelvis"]
        chest = self._flat["chest"]
        neck = capsule(chest, self._flat["head"], 0.034 * size, 0.034 * size)
        shapes = [solid(neck, shaded(SKIN), depth)]
        for low, high, colour in _BANDS:
            centres, halves = zip(
                *(self._section(body, h) for h in _heights(low, high)), strict=True
            )
            for start, tone in ((-1.0, np.array(colour)), (0.3, shaded(colour))):
                left = [c + start * half for c, half in zip(centres, halves, strict=True)]
                right = [c + half for c, half in zip(centres, halves, strict=True)]
                shapes.append(solid(np.stack(left + right[::-1], axis=1), tone, depth))
        return shapes

    def _section(self, body: Body, height: float) -> tuple[np.ndarray, np.ndarray]:
        """Middle of the trunk at a height, and the vector to its right edge in the picture."""
        pelvis, chest = self._flat["pelvis"], self._flat["chest"]
        length = np.linalg.norm(body.joints["chest"] - body.joints["pelvis"], axis=1)[:, None]
        across = np.stack([pelvis[:, 1] - chest[:, 1], chest[:, 0] - pelvis[:, 0]], axis=1)
        across /= np.linalg.norm(across, axis=1, keepdims=True)
        wide, deep = (np.interp(height, _TRUNK[:, 0], _TRUNK[:, i]) for i in (1, 2))
        twisted = np.clip(height / 0.25, 0, 1)
        left = (1 - twisted) * body.pelvis_axes[:, 0, 0] + twisted * body.chest_axes[:, 0, 0]
        half = np.hypot(wide * left, deep * np.sqrt(np.maximum(1 - left**2, 0)))
        return pelvis + height * (chest - pelvis) / length, half[
            :, None
        ] * across * self._project.scale


def _heights(low: float, high: float) -> list[float]:
    return [low, *(float(h) for h in _TRUNK[:, 0] if low < h < high), high]
