"""Where the ball is in images, by its colour: in true frames, and in predictions."""

import cv2
import numpy as np

from keras_cvae.data.synthetic.ball import RADIUS
from keras_cvae.data.synthetic.picture import projection_of
from keras_cvae.errors import UserError
from keras_cvae.images import scaled

# How far red and blue are both above green, in [-1, 1]: at most 0.153 in the room and the dancer,
# 0.75 to 0.9 in the ball. A pixel has the weight 0 at the first value, and 1 at the second.
_NONE, _FULL = 0.16, 0.6
_LEAST = 0.1  # of the ball's area: a blob of a smaller weight is no ball


def find_ball(images: np.ndarray) -> np.ndarray:
    """Finds the ball in images of the built-in data.

    Each pixel has a weight, by how much of the ball's magenta it has. The centre is the weighted
    mean over the connected blob of the largest weight, so it is finer than a pixel. A blurred or
    half-transparent ball, as in a prediction, is found too.

    Args:
        images: (N, H, W, 3) RGB, uint8 or floats in [0, 1]. H and W are those of the drawn frames.
            Floats outside [0, 1] count as 0 or 1, and NaN as 0.

    Returns:
        (N, 2), x and y of the centre in pixels; (0, 0) is the corner of the image. NaN where no
        ball is found.

    Raises:
        UserError: for another shape or type of number.

    Example:
        >>> video = render_video(3, frames=240, ball=True)
        >>> error = find_ball(video.frames) - ball_centres(3, frames=240)
    """
    images = np.asarray(images)
    if images.ndim != 4 or images.shape[-1] != 3 or 0 in images.shape[1:3]:
        raise UserError(
            f"find_ball needs RGB images of shape (N, H, W, 3); got {images.shape}. Pass the "
            "frames of one video, channels last."
        )
    if images.dtype != np.uint8 and not np.issubdtype(images.dtype, np.floating):
        raise UserError(
            f"find_ball needs uint8 images, or floats in [0, 1]; got {images.dtype}. Convert them "
            "with .astype('uint8')."
        )
    height, width = images.shape[1:3]
    radius = RADIUS * projection_of((height, width)).scale
    least = _LEAST * np.pi * radius**2
    return np.array([_heaviest(_weights(image), least) for image in images]).reshape(-1, 2)


def _weights(image: np.ndarray) -> np.ndarray:
    unit = np.clip(np.nan_to_num(scaled(image), nan=0.0), 0.0, 1.0)
    magenta = np.minimum(unit[..., 0], unit[..., 2]) - unit[..., 1]
    return np.clip((magenta - _NONE) / (_FULL - _NONE), 0.0, 1.0)


def _heaviest(weights: np.ndarray, least: float) -> tuple[float, float]:
    """The centre of the blob of the largest weight, NaN if that is below `least`."""
    count, blobs = cv2.connectedComponents((weights > 0).astype(np.uint8))
    if count == 1:  # background alone
        return np.nan, np.nan
    sums = np.bincount(blobs.ravel(), weights.ravel())
    blob = int(sums.argmax())  # the background has the weight 0
    if sums[blob] < least:
        return np.nan, np.nan
    y, x = np.nonzero(blobs == blob)
    share = weights[y, x] / sums[blob]
    return float(share @ (x + 0.5)), float(share @ (y + 0.5))
