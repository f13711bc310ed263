"""Videos inside a page: all frames of one as the tiles of a single picture."""

import base64

import cv2
import numpy as np

from keras_cvae.errors import UserError
from keras_cvae.metrics import frame_psnr
from keras_cvae.video import to_uint8

ACROSS = 16  # tiles
_LARGEST = 16383  # pixels of a side of a WebP picture


def sprite(frames, quality=90):
    """Frames as the tiles of a WebP picture, row by row.

    Args:
        frames: (T, H, W, 3), uint8 or floats in [0, 1]; as many as fit are taken.
        quality: int in 1..100.

    Returns:
        str, a data URI.
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


def most_frames(height, width):
    """How many frames fit into one picture.

    Raises:
        UserError: for frames that are too large for one row of tiles.
    """
    rows = _LARGEST // height
    if ACROSS * width > _LARGEST or not rows:
        raise UserError(f"Frames of {height} x {width} are too large for a film in a page.")
    return rows * ACROSS


def data_uri(kind, content):
    """Bytes as a data URI of a media type."""
    return f"data:{kind};base64,{base64.b64encode(content).decode()}"


def player_data(video, predictions):
    """What the page's player needs, as values for JSON.

    Args:
        video: `keras_cvae.data.Video`, the true one.
        predictions: dict label -> (T, H, W, 3), frame 0 being the given one.

    Returns:
        dict: `width`, `height`, `across`, `count`, and `films`, a list of dicts with `name`, `src`
        and, of predictions, `psnr` per frame, `null` for the given one.
    """
    height, width = video.frames.shape[1:3]
    count = min(len(video.frames), most_frames(height, width))
    films = [{"name": "truth", "src": sprite(video.frames)}]
    for label, prediction in predictions.items():
        psnr = frame_psnr(video.frames[1:count], prediction[1:count])
        values = [None, *(round(float(value), 2) for value in psnr)]
        films.append({"name": label, "src": sprite(prediction), "psnr": values})
    films.append({"name": "pose", "src": sprite(video.poses)})
    return {"width": width, "height": height, "across": ACROSS, "count": count, "films": films}
