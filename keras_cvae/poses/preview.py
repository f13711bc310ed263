"""A picture to look at: the skeletons over the frames that they were found in."""

import os
from collections.abc import Sequence

import cv2
import numpy as np

from keras_cvae.data.skeleton import draw_skeleton
from keras_cvae.files import written_whole

COLUMNS, ROWS = 6, 2
_SIDE = 192  # pixels, the height of a picture
_VISIBLE = 40  # of 255: a darker pixel of the skeleton's image is background


def preview_size(frame_size: tuple[int, int]) -> tuple[int, int]:
    """The (height, width) in pixels of each picture, of the shape of the frames."""
    return _SIDE, max(1, round(_SIDE * frame_size[1] / frame_size[0]))


def overlay(image: np.ndarray, joints: np.ndarray) -> np.ndarray:
    """A skeleton over an image.

    Args:
        image: (H, W, 3) uint8 RGB.
        joints: (19, 2) in pixels of the image.

    Returns:
        (H, W, 3) uint8.
    """
    skeleton = draw_skeleton(joints, image.shape[:2], thickness=max(2.0, 0.015 * image.shape[0]))
    return np.where(skeleton.max(axis=-1, keepdims=True) > _VISIBLE, skeleton, image)


def write_preview(path: str | os.PathLike, pictures: Sequence[np.ndarray]) -> None:
    """Writes pictures as one PNG, in rows of six.

    Args:
        path: the PNG.
        pictures: at least one (H, W, 3) uint8 RGB, all of one size.
    """
    gaps = -len(pictures) % min(COLUMNS, len(pictures))
    padded = [*pictures, *(np.zeros_like(pictures[0]) for _ in range(gaps))]
    columns = min(COLUMNS, len(pictures))
    rows = [np.hstack(padded[at : at + columns]) for at in range(0, len(padded), columns)]
    _, data = cv2.imencode(".png", np.vstack(rows)[..., ::-1])
    with written_whole(path) as partial:
        partial.write_bytes(data.tobytes())
