"""The soft shadow of the dancer and the ball on the floor."""

import cv2
import numpy as np

from keras_cvae.data.skeleton import SHIFT, to_canvas
from keras_cvae.data.synthetic.ball import RADIUS
from keras_cvae.data.synthetic.body import ANKLE, Body
from keras_cvae.data.synthetic.shapes import Projection

_COARSE = 2  # the shadow is soft: its mask is smaller than the canvas
# Of each joint that casts it: height in standing, radius of the shadow, darkness; in body heights.
_SPOTS = {
    "pelvis": (0.5, 0.2, 0.34),
    "chest": (0.79, 0.17, 0.24),
    "left_ankle": (ANKLE, 0.085, 0.5),
    "right_ankle": (ANKLE, 0.085, 0.5),
}
_BALL = (RADIUS, 0.9 * RADIUS, 0.5)  # the same of the ball


class Shadow:
    """Dark ellipses below the feet, the body and the ball. They are lighter the higher these are.

    Args:
        body: the dancer in space.
        project: from there to the picture.
        supersampling: pixels of the canvas per pixel of the frame.
        ball: (T, 3), the centres of the ball in space, or `None` where there is no ball.
    """

    def __init__(
        self,
        body: Body,
        project: Projection,
        supersampling: int,
        ball: np.ndarray | None = None,
    ):
        scale = supersampling / _COARSE
        self._blur = 0.035 * project.scale * scale
        turn = np.linspace(0, 2 * np.pi, 20, endpoint=False)
        ring = np.stack([np.cos(turn), 0.3 * np.sin(turn)], axis=1) * project.scale
        casters = [(body.joints[name], *spot) for name, spot in _SPOTS.items()]
        if ball is not None:
            casters.append((ball, *_BALL))
        self._spots = []
        for above, standing, radius, dark in casters:
            point = above.copy()
            shade = dark * np.exp(-np.maximum(point[:, 1] - standing, 0) / 0.12)
            point[:, 0] += 0.18 * point[:, 1]  # the light comes from the left
            point[:, 1] = 0
            outline = project(point)[:, None] + radius * ring
            self._spots.append((to_canvas(outline, scale), (255 * (1 - shade)).round().tolist()))
        top = project(np.array([0.0, 0.0, -0.5]))[1]
        self._top = int(top * supersampling) // _COARSE * _COARSE

    def draw(self, canvas: np.ndarray, t: int) -> None:
        """Darkens the floor of an RGB canvas, (height, width, 3) uint8, for frame `t`."""
        floor = canvas[self._top :]
        rows, columns = floor.shape[0] // _COARSE, floor.shape[1] // _COARSE
        light = np.full((rows, columns), 255, np.uint8)
        offset = np.array([0, (self._top // _COARSE) << SHIFT], np.int32)
        for outline, shade in self._spots:
            spot = np.full_like(light, 255)
            cv2.fillPoly(spot, [outline[t] - offset], shade[t], cv2.LINE_AA, SHIFT)
            light = cv2.multiply(light, spot, light, 1 / 255)
        light = cv2.GaussianBlur(light, (0, 0), self._blur)
        light = cv2.resize(light, floor.shape[1::-1], interpolation=cv2.INTER_LINEAR)
        cv2.multiply(floor, cv2.merge((light, light, light)), floor, 1 / 255)
