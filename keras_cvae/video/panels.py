"""Frames side by side, enlarged, with captions. Needs NumPy and OpenCV alone."""

from collections.abc import Mapping

import cv2
import numpy as np

from keras_cvae.errors import UserError, check_choice
from keras_cvae.images import check_pixels, empty_images, to_uint8

_ADVICE = "Give a smaller zoom, or fewer frames at a time."  # where memory is not there
_INTERPOLATIONS = {"nearest": cv2.INTER_NEAREST, "cubic": cv2.INTER_CUBIC}
_STRIP, _TEXT, _FAINT = (24, 24, 24), (235, 235, 235), (150, 150, 150)
_SEPARATOR = 2  # pixels
_FONT = cv2.FONT_HERSHEY_SIMPLEX


def error_map(truth: np.ndarray, prediction: np.ndarray, gain: float = 4.0) -> np.ndarray:
    """Absolute difference, mean over the channels, in colours from black over red to yellow.

    Args:
        truth: (T, H, W, 3), uint8 or floats in [0, 1].
        prediction: the same shape.
        gain: the difference is multiplied by it. 1 / `gain` and more has the brightest colour.

    Returns:
        uint8 array of the same shape (OpenCV's inferno colours, whose lightness is monotonic).

    Raises:
        UserError: if an array holds no frames.
    """
    truth, prediction = to_uint8(truth), to_uint8(prediction)
    error = cv2.absdiff(truth, prediction).mean(axis=-1) * gain
    level = np.rint(np.minimum(error, 255.0)).astype(np.uint8)
    # applyColorMap takes one image: here it makes a table of all levels, for all frames at once.
    table = cv2.applyColorMap(np.arange(256, dtype=np.uint8), cv2.COLORMAP_INFERNO)
    return table.reshape(256, 3)[:, ::-1][level]


def side_by_side(
    truth: np.ndarray | None,
    prediction: np.ndarray,
    pose: np.ndarray,
    error: bool = True,
    zoom: int = 4,
    labels: bool = True,
    interpolation: str = "nearest",
    error_gain: float = 4.0,
    first_number: int = 0,
) -> np.ndarray:
    """Puts truth | prediction | pose | error side by side, frame by frame.

    Args:
        truth: (T, H, W, 3), uint8 or floats in [0, 1], the true frames. `None` leaves out truth and
            error.
        prediction: the same shape, the predicted frames.
        pose: the same shape, the pose images.
        error: whether to add the amplified difference of truth and prediction, see `error_map`.
        zoom: at least 1, the factor of enlargement.
        labels: whether a strip above the panels shows their names and the frame number.
        interpolation: `"nearest"` (true pixels, small files) or `"cubic"` (smooth).
        error_gain: amplification of the error.
        first_number: the number of the first frame.

    Returns:
        uint8 array (T, height, width, 3) of the panels.

    Raises:
        UserError: as `in_a_row`.

    Example:

    ```python
    panels = side_by_side(truth, model.predict_video(truth[0], poses), poses)
    write_video("rollout.gif", panels)
    ```
    """
    named = {"truth": truth, "prediction": prediction, "pose": pose}
    panels = {name: to_uint8(frames) for name, frames in named.items() if frames is not None}
    if truth is not None and error and panels["truth"].shape == panels["prediction"].shape:
        panels[f"error x{error_gain:g}"] = error_map(truth, prediction, error_gain)
    # "pose" is the shortest caption, so there is room for the frame number.
    return in_a_row(panels, zoom, labels, interpolation, first_number, numbered="pose")


def in_a_row(
    panels: Mapping[str, np.ndarray],
    zoom: int = 4,
    labels: bool = True,
    interpolation: str = "nearest",
    first_number: int = 0,
    numbered: str | None = None,
) -> np.ndarray:
    """Puts any videos side by side, frame by frame.

    Args:
        panels: caption -> (T, H, W, 3), uint8 or floats in [0, 1], all of one shape.
        zoom, labels, interpolation, first_number: as for `side_by_side`.
        numbered: the caption that has the frame number at its right; `None` is the first.

    Returns:
        uint8 array (T, height, width, 3).

    Raises:
        UserError: if shapes differ, `zoom` is no positive integer or makes images that are too
            large, or `interpolation` is unknown.
    """
    check_choice("interpolation", interpolation, _INTERPOLATIONS)
    panels = {name: to_uint8(frames) for name, frames in panels.items()}
    shapes = {name: frames.shape for name, frames in panels.items()}
    if len(set(shapes.values())) != 1 or len(next(iter(shapes.values()))) != 4:
        raise UserError(f"Got {shapes}; expected one shape (T, height, width, 3) for all of them.")
    numbered = next(iter(panels)) if numbered is None else numbered
    count, height, width = next(iter(shapes.values()))[:3]
    check_zoom(zoom, height, len(panels) * width)

    height, width = height * zoom, width * zoom
    # Text is drawn at the enlarged size, so it is readable above small frames too.
    strip = int(np.clip(round(0.085 * width), 14, 36)) if labels else 0
    step = width + _SEPARATOR
    shown = empty_images(count, strip + height, step * len(panels) - _SEPARATOR, _ADVICE)
    shown[:] = 255
    if strip:
        shown[:, :strip] = _caption_strip(list(panels), width, strip, shown.shape[2])
    for column, frames in enumerate(panels.values()):
        left = column * step
        _enlarge_into(shown[:, strip:, left : left + width], frames, interpolation)
    if strip:
        left = list(panels).index(numbered) * step
        taken = _text_size(numbered, strip, width)[0]
        for t in range(count):
            number = str(first_number + t)
            words = f"frame {number}"
            if taken + _text_size(words, strip, width)[0] > width - 3 * _margin(strip):
                words = number
            room = width - taken - _margin(strip)
            _draw(shown[t], words, left + width, strip, room, _FAINT, right=True)
    return shown


def enlarge(frames: np.ndarray, zoom: int, interpolation: str = "nearest") -> np.ndarray:
    """Frames at a whole multiple of their size.

    Args:
        frames: (T, H, W, 3), uint8 or floats in [0, 1].
        zoom: at least 1, the factor of enlargement.
        interpolation: `"nearest"` or `"cubic"`.

    Returns:
        uint8 array (T, zoom * H, zoom * W, 3).

    Raises:
        UserError: if the array holds no frames, `zoom` is no positive integer or makes images that
            are too large, or `interpolation` is unknown.
    """
    check_choice("interpolation", interpolation, _INTERPOLATIONS)
    frames = to_uint8(frames)
    if frames.ndim != 4 or 0 in frames.shape:
        raise UserError(
            f"Frames have the shape {frames.shape}; expected (T, height, width, 3), none of them 0."
        )
    count, height, width = frames.shape[:3]
    check_zoom(zoom, height, width)
    large = empty_images(count, height * zoom, width * zoom, _ADVICE)
    _enlarge_into(large, frames, interpolation)
    return large


def check_zoom(zoom: int, height: int, width: int) -> None:
    """Checks a factor of enlargement, before any memory is taken for the images.

    Args:
        zoom: the factor.
        height, width: of the images to enlarge, in pixels.

    Raises:
        UserError: if it is no positive integer, or makes images larger than `check_pixels` allows.
    """
    if not isinstance(zoom, int | np.integer) or isinstance(zoom, bool) or zoom < 1:
        raise UserError(f"zoom={zoom!r}; expected a positive integer.")
    zoom = int(zoom)  # NumPy's integers overflow
    check_pixels(zoom * height, zoom * width, f"A picture at zoom={zoom}")


def _enlarge_into(target: np.ndarray, frames: np.ndarray, interpolation: str) -> None:
    kind, size = _INTERPOLATIONS[interpolation], target.shape[2:0:-1]
    for place, frame in zip(target, frames, strict=True):
        place[:] = cv2.resize(frame, size, interpolation=kind)


def _margin(strip: int) -> int:
    return max(2, strip // 4)


def _text_size(text: str, strip: int, room: int) -> tuple[int, float]:
    """Width in pixels and font scale of a text that fits into the strip and the room."""
    (width, height), _ = cv2.getTextSize(text, _FONT, 1.0, 1)
    scale = min(0.5 * strip / height, (room - 2 * _margin(strip)) / width)
    scale = max(scale, 0.01)
    return int(np.ceil(width * scale)), scale


def _draw(
    image: np.ndarray,
    text: str,
    edge: int,
    strip: int,
    room: int,
    colour: tuple[int, int, int],
    right: bool = False,
) -> None:
    width, scale = _text_size(text, strip, room)
    left = edge - _margin(strip) - width if right else edge + _margin(strip)
    base = strip - max(3, round(0.27 * strip))
    cv2.putText(image, text, (left, base), _FONT, scale, colour, 1, cv2.LINE_AA)


def _caption_strip(names: list[str], width: int, strip: int, total: int) -> np.ndarray:
    picture = np.full((strip, total, 3), _STRIP, np.uint8)
    for column, name in enumerate(names):
        _draw(picture, name, column * (width + _SEPARATOR), strip, width, _TEXT)
    return picture
