"""The part of a video that becomes the frames: one window, chosen from the person."""

from collections.abc import Sequence
from typing import NamedTuple

import cv2
import numpy as np

from keras_cvae.errors import UserError

SIZES = ((64, 64), (96, 64), (64, 128))  # height, width: those that "auto" chooses from
_ABOVE, _BESIDE, _BELOW = 0.20, 0.12, 0.12  # of the body's height: hair, hands, feet and floor
_OUTLIERS = 0.5  # percent of the joints on each side that may lie outside


class Window(NamedTuple):
    """A rectangle of a video, in pixels. It may reach beyond the image.

    Args:
        left, top: of its corner.
        width, height: its size.
    """

    left: float
    top: float
    width: float
    height: float

    def to_frame(self, joints: np.ndarray, frame_size: tuple[int, int]) -> np.ndarray:
        """Joints (..., 2) of the video as joints of a frame of (height, width) pixels."""
        scale = np.array([frame_size[1] / self.width, frame_size[0] / self.height])
        return (joints - [self.left, self.top]) * scale

    def crop(self, image: np.ndarray, frame_size: tuple[int, int]) -> np.ndarray:
        """The part of an image, with its last row or column repeated beyond the image.

        Args:
            image: (H, W, 3) uint8.
            frame_size: (height, width) of the result.

        Returns:
            (height, width, 3) uint8, averaged where it shrinks.
        """
        height, width = frame_size
        # An enlarged frame of about the window's own resolution, which is then averaged.
        factor = max(1, int(self.width / width))
        size = (width * factor, height * factor)
        scale = np.array([size[0] / self.width, size[1] / self.height])
        # A point is the centre of a pixel for OpenCV, and its corner for us.
        shift = (0.5 - np.array([self.left, self.top])) * scale - 0.5
        matrix = np.array([[scale[0], 0, shift[0]], [0, scale[1], shift[1]]])
        large = cv2.warpAffine(image, matrix, size, borderMode=cv2.BORDER_REPLICATE)
        return cv2.resize(large, (width, height), interpolation=cv2.INTER_AREA)


def choose_window(
    joints: Sequence[np.ndarray],
    body: float,
    image_size: tuple[int, int],
    frame_size: tuple[int, int] | None = None,
) -> tuple[Window, tuple[int, int]]:
    """Chooses one window in which the person stays, and the size of the frames.

    Args:
        joints: (T, 19, 2) of each segment, in pixels of the video.
        body: the height of the body in pixels.
        image_size: (height, width) of the video.
        frame_size: of the frames; `None` chooses the one of `SIZES` whose shape wastes the least.

    Returns:
        The window, and the (height, width) of the frames.

    Raises:
        UserError: if no joint lies in the image.
    """
    points = np.concatenate([each.reshape(-1, 2) for each in joints])
    points = points[~np.isnan(points).any(axis=1)]
    height, width = image_size
    points = points[((points >= 0) & (points <= (width, height))).all(axis=1)]
    if not len(points):
        raise UserError("No joint of the person lies inside the image. Check the keypoints.")
    left, top = np.percentile(points, _OUTLIERS, axis=0) - np.array([_BESIDE, _ABOVE]) * body
    right, bottom = np.percentile(points, 100 - _OUTLIERS, axis=0) + [_BESIDE * body, _BELOW * body]
    # What lies outside of the image holds nothing to see.
    left, top, right, bottom = max(left, 0), max(top, 0), min(right, width), min(bottom, height)
    size = frame_size or max(SIZES, key=lambda each: _used(right - left, bottom - top, each))
    shape = size[1] / size[0]
    across = max(right - left, (bottom - top) * shape)
    down = across / shape
    window = Window(
        _placed((left + right) / 2, across, width),
        _placed((top + bottom) / 2, down, height),
        across,
        down,
    )
    return window, size


def _used(across: float, down: float, size: tuple[int, int]) -> float:
    """The share of the smallest window of this shape that the box takes."""
    shape = size[1] / size[0]
    whole = max(across, down * shape)
    return across * down / (whole * whole / shape)


def _placed(centre: float, length: float, image: float) -> float:
    """Where a window begins: around the centre, moved into the image if it fits."""
    if length >= image:
        return (image - length) / 2
    return min(max(centre - length / 2, 0.0), image - length)
