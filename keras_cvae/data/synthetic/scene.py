"""The room: one picture, the same for every dance."""

from collections.abc import Sequence
from typing import Any

import cv2
import numpy as np

from keras_cvae.data.skeleton import SHIFT, to_canvas

FLOOR_EDGE = 0.29  # from the lower edge of the picture to the edge between floor and wall


class Room:
    """The empty room on an enlarged canvas.

    Lengths inside are in units of `unit` pixels; x from the left, y up from the lower edge.

    Args:
        frame_size: `(height, width)` of the frames.
        unit: pixels of the frame per unit.
        supersampling: pixels of the canvas per pixel of the frame.

    Attributes:
        canvas: (height, width, 3) uint8 RGB, each side `supersampling` times that of the frame.
    """

    def __init__(self, frame_size: tuple[int, int], unit: float, supersampling: int):
        self._pixels = unit * supersampling
        self.height, self.width = (size / unit for size in frame_size)
        size = (frame_size[0] * supersampling, frame_size[1] * supersampling, 3)
        self.canvas = np.zeros(size, np.uint8)
        self._rng = np.random.default_rng(7)  # sizes of books and leaves; not the dance
        self._wall()
        self._window(0.2 * self.width, 0.56)
        self._pictures(0.5 * self.width, 0.68)
        self._shelf(0.76 * self.width)
        self._floor()
        self._light()
        self._lamp(self.width - 0.13)
        self._plant(0.13)

    # Drawing in units.

    def _polygon(self, points: Any, colour: Sequence[float]) -> None:
        points = np.array(points, np.float64)
        points[:, 1] = self.height - points[:, 1]
        points = to_canvas(points, self._pixels)
        cv2.fillPoly(self.canvas, [points], colour, cv2.LINE_AA, SHIFT)

    def _box(
        self, left: float, bottom: float, right: float, top: float, colour: Sequence[float]
    ) -> None:
        self._polygon([(left, bottom), (right, bottom), (right, top), (left, top)], colour)

    def _ellipse(
        self,
        x: float,
        y: float,
        radius_x: float,
        radius_y: float,
        colour: Sequence[float],
        tilt: float = 0.0,
    ) -> None:
        turn = np.linspace(0, 2 * np.pi, 72, endpoint=False)
        along, aside = radius_x * np.cos(turn), radius_y * np.sin(turn)
        cos, sin = np.cos(tilt), np.sin(tilt)
        self._polygon(
            np.stack([x + cos * along - sin * aside, y + sin * along + cos * aside], axis=1), colour
        )

    # Things in the room.

    def _wall(self) -> None:
        self._box(0, 0, self.width, self.height, (134, 178, 178))
        for i in range(int(self.width / 0.125) + 1):
            x = 0.125 * i
            self._box(x, 0, x + 0.045, self.height, (124, 168, 170))
            for j in range(int(self.height / 0.14) + 1):
                y = 0.14 * j + (0.07 if i % 2 else 0.0)
                self._ellipse(x + 0.085, y, 0.011, 0.02, (160, 198, 190))
        # Panelling below a rail, and the skirting board.
        rail = FLOOR_EDGE + 0.15
        self._box(0, 0, self.width, rail, (214, 206, 186))
        for i in range(int(self.width / 0.25) + 1):
            left = 0.25 * i + 0.03
            self._box(left, FLOOR_EDGE + 0.045, left + 0.19, rail - 0.025, (194, 186, 168))
            self._box(left + 0.01, FLOOR_EDGE + 0.045, left + 0.19, rail - 0.035, (222, 214, 196))
        self._box(0, rail, self.width, rail + 0.025, (236, 230, 214))
        self._box(0, rail - 0.008, self.width, rail, (168, 158, 140))
        self._box(0, FLOOR_EDGE, self.width, FLOOR_EDGE + 0.03, (240, 234, 220))

    def _window(self, x: float, y: float) -> None:
        half, high = 0.17, 0.36
        self._box(x - half - 0.02, y - 0.03, x + half + 0.02, y + high + 0.02, (246, 242, 232))
        for i in range(24):  # evening sky
            part = i / 24
            colour = np.array((255, 214, 150)) * (1 - part) + np.array((122, 176, 226)) * part
            bottom = y + high * part
            self._box(x - half, bottom, x + half, y + high, colour.tolist())
        self._ellipse(x + 0.05, y + 0.11, 0.03, 0.03, (255, 246, 206))
        hills = [(x - half, y), (x + half, y), (x + half, y + 0.09), (x + 0.06, y + 0.05)]
        self._polygon([*hills, (x - 0.07, y + 0.12), (x - half, y + 0.06)], (92, 132, 120))
        self._box(x - 0.008, y, x + 0.008, y + high, (246, 242, 232))
        self._box(x - half, y + 0.2, x + half, y + 0.215, (246, 242, 232))
        self._box(x - half - 0.04, y - 0.045, x + half + 0.04, y - 0.02, (228, 220, 204))
        for side in (-1, 1):  # curtains
            for fold in range(4):
                near = x + side * (half + 0.07 - 0.027 * fold)
                shade = (206, 148, 82) if fold % 2 else (226, 172, 104)
                low = y - 0.08
                edges = (near, near - side * 0.027)
                self._box(min(edges), low, max(edges), y + high + 0.04, shade)

    def _pictures(self, x: float, y: float) -> None:
        for dx, dy, w, h, back, front in (
            (-0.12, 0.0, 0.085, 0.11, (238, 226, 196), (196, 92, 74)),
            (0.07, 0.05, 0.06, 0.06, (70, 92, 120), (240, 206, 120)),
            (0.075, -0.085, 0.065, 0.045, (226, 214, 200), (92, 130, 96)),
        ):
            left, right, low, top = x + dx - w, x + dx + w, y + dy - h, y + dy + h
            self._box(left, low, right, top, (70, 50, 40))
            self._box(left + 0.015, low + 0.015, right - 0.015, top - 0.015, back)
            self._ellipse(x + dx, y + dy, 0.55 * w, 0.55 * h, front)

    def _shelf(self, x: float) -> None:
        colours = [
            (178, 62, 56), (58, 96, 140), (226, 184, 92), (88, 130, 90), (236, 226, 206),
            (110, 70, 110), (206, 120, 70),
        ]  # fmt: skip
        for y in (0.58, 0.78):
            self._box(x - 0.2, y - 0.022, x + 0.2, y, (112, 72, 46))
            self._box(x - 0.2, y - 0.03, x + 0.2, y - 0.022, (96, 124, 124))
            left = x - 0.18
            while left < x + 0.13:
                wide, high = self._rng.uniform(0.025, 0.045), self._rng.uniform(0.09, 0.14)
                colour = colours[self._rng.integers(len(colours))]
                self._box(left, y, left + wide, y + high, colour)
                self._box(left, y + 0.7 * high, left + wide, y + 0.8 * high, (240, 226, 190))
                left += wide + 0.004

    def _floor(self) -> None:
        self._box(0, 0, self.width, FLOOR_EDGE, (158, 108, 68))
        boards, away = 15, 0.62  # boards run into the depth, towards a point above the edge
        spread = np.linspace(-0.9, 1.9, boards + 1) * self.width
        middle = 0.5 * self.width
        for i in range(boards):
            ends = [middle + (x - middle) * away for x in spread[i : i + 2]]
            tone = self._rng.uniform(0.9, 1.08)
            colour = np.clip(np.array((170, 118, 76)) * tone, 0, 255).tolist()
            gap = 0.006
            quad = [(spread[i], 0), (spread[i + 1] - gap, 0)]
            self._polygon([*quad, (ends[1] - gap, FLOOR_EDGE), (ends[0], FLOOR_EDGE)], colour)
        rug = 0.5 * self.width
        wide = min(0.75, 0.42 * self.width)
        for size, colour in ((1.0, (74, 92, 122)), (0.9, (216, 200, 170)), (0.8, (96, 118, 148))):
            self._ellipse(rug, 0.12, wide * size, 0.1 * size, colour)

    def _lamp(self, x: float) -> None:
        self._box(x - 0.011, 0.24, x + 0.011, 0.7, (62, 52, 48))
        self._ellipse(x, 0.24, 0.07, 0.022, (62, 52, 48))
        shade = [(x - 0.1, 0.68), (x + 0.1, 0.68), (x + 0.06, 0.84), (x - 0.06, 0.84)]
        self._polygon(shade, (255, 226, 160))
        self._polygon(
            [(x - 0.1, 0.68), (x + 0.1, 0.68), (x + 0.094, 0.705), (x - 0.094, 0.705)],
            (228, 178, 104),
        )

    def _plant(self, x: float) -> None:
        pot = [(x - 0.05, 0.2), (x + 0.05, 0.2), (x + 0.07, 0.33), (x - 0.07, 0.33)]
        self._polygon(pot, (190, 104, 74))
        self._box(x - 0.075, 0.31, x + 0.075, 0.34, (206, 122, 90))
        for tilt in np.linspace(-1.15, 1.15, 9):
            size = 0.16 - 0.03 * abs(tilt) + self._rng.uniform(-0.02, 0.02)
            green = np.array((62, 122, 76)) * self._rng.uniform(0.75, 1.2)
            angle = np.pi / 2 - tilt
            middle = (x + size * np.cos(angle), 0.34 + size * np.sin(angle))
            self._ellipse(*middle, size, 0.026, green.tolist(), angle)

    def _light(self) -> None:
        """Smooth light: of the lamp, of the window, and darker corners."""
        rows, columns = self.canvas.shape[:2]
        y = (rows - 0.5 - np.arange(rows))[:, None] / self._pixels
        x = (np.arange(columns) + 0.5)[None] / self._pixels
        lamp = np.exp(-(((x - self.width + 0.13) / 0.4) ** 2) - ((y - 0.76) / 0.4) ** 2)
        sun = np.exp(-(((x - 0.25 * self.width) / 0.5) ** 2) - ((y - 0.1) / 0.25) ** 2)
        corner = ((x / self.width - 0.5) / 0.5) ** 2 * 0.14
        light = 0.96 - corner[..., None] + lamp[..., None] * (0.3, 0.2, 0.0)
        light = light + sun[..., None] * (0.12, 0.09, 0.02)
        self.canvas = np.clip(self.canvas * light, 0, 255).round().astype(np.uint8)
