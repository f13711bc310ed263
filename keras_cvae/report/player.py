"""Videos inside a page: the frames of a video are the tiles of one picture."""

import base64
from collections.abc import Mapping
from typing import Any

import cv2
import numpy as np

from keras_cvae.data.videos import Video
from keras_cvae.errors import UserError
from keras_cvae.metrics import frame_psnr
from keras_cvae.video import to_uint8

ACROSS = 16  # tiles in a row
_LARGEST = 16383  # pixels of the longest possible side of a WebP picture


def sprite(frames: np.ndarray, quality: int = 90) -> str:
    """Frames as the tiles of a WebP picture, row by row.

    Args:
        frames: (T, H, W, 3), uint8 or floats in [0, 1]; frames that do not fit are left out.
        quality: of the picture, in 1..100.

    Returns:
        The picture as a data URI.

    Raises:
        UserError: if the frames are too large, or OpenCV cannot write WebP.
    """
    height, width = frames.shape[1:3]
    count = min(len(frames), most_frames(height, width))
    tiles = np.zeros((-(-count // ACROSS) * ACROSS, height, width, 3), np.uint8)
    tiles[:count] = to_uint8(frames[:count])
    picture = tiles.reshape(-1, ACROSS, height, width, 3).transpose(0, 2, 1, 3, 4)
    picture = picture.reshape(-1, ACROSS * width, 3)[..., ::-1]
    done, encoded = cv2.imencode(".webp", picture, [cv2.IMWRITE_WEBP_QUALITY, quality])
    if not done:
        raise UserError(f"OpenCV could not write a WebP picture of {picture.shape}.")
    return data_uri("image/webp", encoded.tobytes())


def most_frames(height: int, width: int) -> int:
    """The number of frames that fit into one picture.

    Args:
        height, width: of a frame, in pixels.

    Raises:
        UserError: if not even one row of tiles fits.
    """
    rows = _LARGEST // height
    if ACROSS * width > _LARGEST or not rows:
        raise UserError(f"Frames of {height} x {width} are too large for a video in a page.")
    return rows * ACROSS


def data_uri(kind: str, content: bytes) -> str:
    """Bytes as a data URI.

    Args:
        kind: their media type, such as `"image/png"`.
        content: the bytes.
    """
    return f"data:{kind};base64,{base64.b64encode(content).decode()}"


def player_data(video: Video, predictions: Mapping[str, np.ndarray]) -> dict[str, Any]:
    """The data of the page's player, as values for JSON.

    Args:
        video: the true one.
        predictions: label -> (T, H, W, 3), float32 or uint8; frame 0 is the given one.

    Returns:
        dict of `width` and `height` of a frame, `across` (tiles in a row), `count` (frames), and
        `films`: a list of dicts with `name`, `src` and, for predictions, `psnr` per frame, which is
        `None` for the given one.

    Raises:
        UserError: if the frames are too large.
    """
    height, width = video.frames.shape[1:3]
    count = min(len(video.frames), most_frames(height, width))
    shown: list[dict[str, Any]] = [{"name": "truth", "src": sprite(video.frames)}]
    for label, prediction in predictions.items():
        psnr = frame_psnr(video.frames[1:count], prediction[1:count])
        values = [None, *(round(float(value), 2) for value in psnr)]
        shown.append({"name": label, "src": sprite(prediction), "psnr": values})
    shown.append({"name": "pose", "src": sprite(video.poses)})
    return {"width": width, "height": height, "across": ACROSS, "count": count, "films": shown}
