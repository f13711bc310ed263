"""BlazePose: a person detector, and a model of the joints in a region around one person."""

import contextlib
import os
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any, NamedTuple

import cv2
import numpy as np

from keras_cvae.errors import optional_package
from keras_cvae.poses.keypoint_formats import to_joints
from keras_cvae.poses.model_files import model_files
from keras_cvae.poses.person import Person

_DETECTOR_SIDE, _LANDMARK_SIDE = 224, 256  # pixels of the models' inputs
_GRIDS = ((28, 2), (14, 2), (7, 6))  # cells a side, anchors a cell: 2,254 anchors
_POINTS, _VALUES = 33, 5  # of a person; x, y, z, visibility and presence of each
_SURE = 0.5  # score of a detection, and of the presence of a person
_SURE_IN_PART = 0.75  # of a detection in a part of an image: bottles had up to 0.69, people 0.8
_OVERLAP = 0.5  # share of the smaller head's box that is shared, from which two are the same
_LONG = 1.5  # ratio of the sides from which parts of an image are searched as well
_MARGIN = 1.25  # a region is so much larger than the circle around the person
_MAX_SIDE = 640  # pixels: larger images are shrunk first; the region is shrunk to 256 anyway


class Region(NamedTuple):
    """A square around one person, upright for the person.

    Args:
        centre: (2,) x and y of the middle of the hips, in pixels.
        size: length of a side in pixels.
        angle: radians by which the person is turned clockwise in the image.
    """

    centre: np.ndarray
    size: float
    angle: float


class BlazePose:
    """The pose estimator of MediaPipe 0.10.21, run by LiteRT, without its smoothing over time.

    Bazarevsky et al., "BlazePose: On-device Real-time Body Pose Tracking", 2020. The detector finds
    the middle of the hips and a circle around each person; the landmark model gives 33 points in
    the region of one person, and the region of the next frame.

    Args:
        folder: of the two model files, see `model_files`; `None` downloads them once.
        threads: of the processor.

    Raises:
        UserError: if LiteRT is not installed or the model files cannot be had.
    """

    name = "BlazePose (mediapipe 0.10.21, full)"

    def __init__(self, folder: str | os.PathLike | None = None, threads: int = 2):
        litert = optional_package("ai_edge_litert.interpreter", "video", "to find people in images")
        detector, landmarks = model_files(folder)
        self._detector = _Model(litert, detector, threads)
        self._landmarks = _Model(litert, landmarks, threads)
        self._anchors = _anchors()

    def detect(self, image: np.ndarray) -> list[Region]:
        """Finds people.

        Args:
            image: (H, W, 3) uint8 RGB.

        Returns:
            The region of each person, the surest first.
        """
        whole, *parts = _parts(*image.shape[:2])
        found = [self._detect(image, _SURE, *whole)]
        found += [self._detect(image, _SURE_IN_PART, *part) for part in parts]
        scores, boxes, hips, circles = (np.concatenate(each) for each in zip(*found, strict=True))
        order = np.argsort(-scores, kind="stable")
        kept = order[_distinct(boxes[order])]
        return [_region(hips[number], circles[number]) for number in kept]

    def _detect(
        self, image: np.ndarray, least: float, top: int, left: int, bottom: int, right: int
    ) -> tuple:
        """Scores, boxes of heads, middles of the hips and points on the circles, in a part."""
        part = image[top:bottom, left:right]
        scale = _DETECTOR_SIDE / max(part.shape[:2])
        height, width = (max(1, round(side * scale)) for side in part.shape[:2])
        interpolation = cv2.INTER_AREA if scale < 1 else cv2.INTER_LINEAR
        small = cv2.resize(part, (width, height), interpolation=interpolation)
        above, beside = (_DETECTOR_SIDE - height) // 2, (_DETECTOR_SIDE - width) // 2
        square = np.zeros((_DETECTOR_SIDE, _DETECTOR_SIDE, 3), np.float32)
        square[above : above + height, beside : beside + width] = small
        values, logits = self._detector(square / 127.5 - 1)
        scores = _sigmoid(logits.ravel())
        sure = np.flatnonzero(scores > least)
        values = values.reshape(-1, 12)[sure]
        anchors = self._anchors[sure] * _DETECTOR_SIDE
        centres, half = values[:, :2] + anchors, values[:, 2:4] / 2
        points = values[:, 4:].reshape(-1, 4, 2) + anchors[:, None]
        corner = np.array([left, top]) - np.array([beside, above]) / scale
        boxes = np.concatenate([centres - half, centres + half], axis=1) / scale
        boxes += np.tile(corner, 2)
        return scores[sure], boxes, points[:, 0] / scale + corner, points[:, 1] / scale + corner

    def landmarks(self, image: np.ndarray, region: Region) -> tuple[Person, Region] | None:
        """Finds the joints of one person.

        Args:
            image: (H, W, 3) uint8 RGB.
            region: around the person, from `detect` or the previous frame.

        Returns:
            The person, and its region for the next frame; `None` if nobody is there.
        """
        image, shrunk = _shrunk(image, _MAX_SIDE)
        scale = _LANDMARK_SIDE / (region.size * shrunk)
        if scale < 0.5:  # averages first, against aliasing
            image, more = _shrunk(image, round(max(image.shape[:2]) * 2 * scale))
            shrunk, scale = shrunk * more, scale / more
        cosine, sine = np.cos(region.angle) * scale, np.sin(region.angle) * scale
        turn = np.array([[cosine, sine], [-sine, cosine]])
        shift = _LANDMARK_SIDE / 2 - turn @ (region.centre * shrunk)
        crop = cv2.warpAffine(image, np.c_[turn, shift], (_LANDMARK_SIDE, _LANDMARK_SIDE))
        values, presence = self._landmarks(crop.astype(np.float32) / 255)
        if not presence.ravel()[0] >= _SURE:
            return None
        values = values.reshape(-1, _VALUES).astype(np.float64)
        back = np.linalg.inv(turn * shrunk).T
        points = (values[:, :2] - _LANDMARK_SIDE / 2) @ back + region.centre
        joints, scores = to_joints(points[:_POINTS], _sigmoid(values[:_POINTS, 3]))
        # Two further points are the middle of the hips and one on the circle around the person.
        return Person(joints, scores), _region(points[_POINTS], points[_POINTS + 1])


class _Model:
    def __init__(self, litert: Any, path: Path, threads: int):
        with _quiet_stderr():  # it says there which processor it uses
            self._interpreter = litert.Interpreter(str(path), num_threads=threads)
            self._interpreter.allocate_tensors()
        self._input = self._interpreter.get_input_details()[0]["index"]
        outputs = {each["name"]: each["index"] for each in self._interpreter.get_output_details()}
        self._outputs = outputs["Identity"], outputs["Identity_1"]

    def __call__(self, image: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        self._interpreter.set_tensor(self._input, image[None].astype(np.float32))
        self._interpreter.invoke()
        first, second = map(self._interpreter.get_tensor, self._outputs)
        return first, second


@contextlib.contextmanager
def _quiet_stderr() -> Iterator[None]:
    """Nothing that C code prints on stderr is shown."""
    sys.stderr.flush()
    kept, null = os.dup(2), os.open(os.devnull, os.O_WRONLY)
    try:
        os.dup2(null, 2)
        yield
    finally:
        os.dup2(kept, 2)
        os.close(kept)
        os.close(null)


def _anchors() -> np.ndarray:
    """(2254, 2), the centres that the detector's values are relative to, in [0, 1]."""
    anchors = []
    for cells, each in _GRIDS:
        centres = (np.arange(cells) + 0.5) / cells
        grid = np.stack(np.meshgrid(centres, centres), axis=-1).reshape(-1, 2)
        anchors.append(grid.repeat(each, axis=0))
    return np.concatenate(anchors)


def _shrunk(image: np.ndarray, max_side: int) -> tuple[np.ndarray, float]:
    """An image of at most this side, and its scale."""
    scale = max(max_side, 1) / max(image.shape[:2])
    if scale >= 1:
        return image, 1.0
    height, width = (max(1, round(side * scale)) for side in image.shape[:2])
    return cv2.resize(image, (width, height), interpolation=cv2.INTER_AREA), scale


def _region(hips: np.ndarray, on_circle: np.ndarray) -> Region:
    to_circle = on_circle - hips
    angle = np.arctan2(to_circle[0], -to_circle[1])  # 0 where it points up
    return Region(hips, max(2 * _MARGIN * float(np.hypot(*to_circle)), 1.0), float(angle))


def _parts(height: int, width: int) -> list[tuple[int, int, int, int]]:
    """The parts (top, left, bottom, right) of an image that people are searched in.

    The whole image; and if it is long, squares along it that overlap by half. In the whole image,
    shrunk to the detector's small square, all but the most prominent person may be lost.
    """
    side, length = min(height, width), max(height, width)
    parts = [(0, 0, height, width)]
    if length >= _LONG * side:
        count = -(-2 * (length - side) // side) + 1
        for start in np.linspace(0, length - side, count).round().astype(int).tolist():
            end = start + side
            parts.append((0, start, side, end) if width > height else (start, 0, end, side))
    return parts


def _distinct(boxes: np.ndarray) -> list[int]:
    """The numbers of the boxes (N, 4), the surest first, that do not overlap a surer one."""
    kept: list[int] = []
    areas = np.prod(boxes[:, 2:] - boxes[:, :2], axis=1)
    for number, box in enumerate(boxes):
        low, high = np.maximum(boxes[kept, :2], box[:2]), np.minimum(boxes[kept, 2:], box[2:])
        shared = np.prod(np.maximum(high - low, 0), axis=1)
        if not (shared > _OVERLAP * np.minimum(areas[kept], areas[number])).any():
            kept.append(number)
    return kept


def _sigmoid(values: np.ndarray) -> np.ndarray:
    return 1 / (1 + np.exp(-np.clip(values, -80, 80)))
