"""Frames side by side, and films of them: GIF, MP4 or a folder of PNGs (numpy and OpenCV only)."""

import contextlib
import os
import re
import shutil
from collections.abc import Iterator
from pathlib import Path

import cv2
import numpy as np

from keras_cvae.files import written_whole
from keras_cvae.gif import write_gif
from keras_cvae.progress import Progress

_INTERPOLATIONS = {"nearest": cv2.INTER_NEAREST, "cubic": cv2.INTER_CUBIC}
_STRIP, _TEXT, _FAINT = (24, 24, 24), (235, 235, 235), (150, 150, 150)
_SEPARATOR = 2  # pixels
_FONT = cv2.FONT_HERSHEY_SIMPLEX


def to_uint8(frames: np.ndarray) -> np.ndarray:
    """Turns frames into 8-bit images.

    Args:
        frames: Array of shape (..., height, width, 3), RGB. Floats are taken as [0, 1]: clipped,
            scaled by 255 and rounded once; NaN becomes 0. uint8 passes through.

    Returns:
        A uint8 array of the same shape.

    Raises:
        ValueError: If the shape does not end in three channels, or the dtype is neither.
    """
    frames = np.asarray(frames)
    if frames.ndim < 3 or frames.shape[-1] != 3:
        raise ValueError(
            f"Frames have the shape {frames.shape}; expected (..., height, width, 3), "
            "RGB with channels last."
        )
    if frames.dtype == np.uint8:
        return frames
    if not np.issubdtype(frames.dtype, np.floating):
        raise ValueError(
            f"Frames have the dtype {frames.dtype}; expected uint8, or floats in [0, 1]. "
            "Convert them with frames.astype('uint8') or frames.astype('float32') / 255."
        )
    # NaN first: clip keeps it, and casting it to an integer is undefined.
    unit = np.nan_to_num(frames.astype(np.float32), nan=0.0, posinf=1.0, neginf=0.0)
    return np.rint(np.clip(unit, 0.0, 1.0) * 255.0).astype(np.uint8)


def error_map(truth: np.ndarray, prediction: np.ndarray, gain: float = 4.0) -> np.ndarray:
    """Absolute difference, mean over the channels, as a picture from black over red to yellow.

    Args:
        truth: Frames of shape (T, height, width, 3), uint8 or floats in [0, 1].
        prediction: The same shape.
        gain: The difference is multiplied by it: 1 / `gain` and more has the brightest colour.

    Returns:
        A uint8 array of the same shape (OpenCV's inferno colours, whose lightness is monotonic).
    """
    truth, prediction = to_uint8(truth), to_uint8(prediction)
    error = cv2.absdiff(truth, prediction).mean(axis=-1) * gain
    level = np.rint(np.minimum(error, 255.0)).astype(np.uint8)
    # One column per level: applyColorMap takes single images, and a table does all frames at once.
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
    """Puts truth | prediction | pose | error beside each other, frame by frame.

    Args:
        truth: True frames of shape (T, height, width, 3), uint8 or floats in [0, 1]. None leaves
            out truth and error.
        prediction: Predicted frames, the same shape.
        pose: Pose images, the same shape.
        error: Whether to add the amplified difference of truth and prediction, see `error_map`.
        zoom: Factor of enlargement, a positive integer.
        labels: Whether to put a strip with the panels' names and the frame number above them.
        interpolation: `"nearest"` (true pixels, small files) or `"cubic"` (smooth).
        error_gain: Amplification of the error.
        first_number: The number of the first frame.

    Returns:
        A uint8 array of shape (T, height', width', 3).

    Raises:
        ValueError: If shapes differ, or `zoom` or `interpolation` is not one of the above.

    Example:

        film = side_by_side(truth, model.predict_video(truth[0], poses), poses)
        write_video("rollout.gif", film)
    """
    if not isinstance(zoom, int | np.integer) or zoom < 1:
        raise ValueError(f"zoom={zoom!r}; expected a positive integer.")
    if interpolation not in _INTERPOLATIONS:
        raise ValueError(
            f"interpolation={interpolation!r}; expected one of {sorted(_INTERPOLATIONS)}."
        )
    named = {"truth": truth, "prediction": prediction, "pose": pose}
    panels = {name: to_uint8(frames) for name, frames in named.items() if frames is not None}
    shapes = {name: frames.shape for name, frames in panels.items()}
    if len(set(shapes.values())) > 1 or panels["pose"].ndim != 4:
        raise ValueError(f"Got {shapes}; expected one shape (T, height, width, 3) for all of them.")
    if error and truth is not None:
        panels[f"error x{error_gain:g}"] = error_map(truth, prediction, error_gain)

    count, height, width = panels["pose"].shape[:3]
    height, width = height * zoom, width * zoom
    # Text is drawn at the enlarged size: it stays readable above the smallest frames.
    strip = int(np.clip(round(0.085 * width), 14, 36)) if labels else 0
    step = width + _SEPARATOR
    film = np.full((count, strip + height, step * len(panels) - _SEPARATOR, 3), 255, np.uint8)
    if strip:
        film[:, :strip] = _caption_strip(list(panels), width, strip, film.shape[2])
    for column, frames in enumerate(panels.values()):
        left = column * step
        for t in range(count):
            film[t, strip:, left : left + width] = cv2.resize(
                frames[t], (width, height), interpolation=_INTERPOLATIONS[interpolation]
            )
    if strip:
        # The frame number stands at the right of "pose", the shortest caption.
        left = list(panels).index("pose") * step
        taken = _text_size("pose", strip, width)[0]
        for t in range(count):
            number = str(first_number + t)
            words = f"frame {number}"
            if taken + _text_size(words, strip, width)[0] > width - 3 * _margin(strip):
                words = number
            room = width - taken - _margin(strip)
            _draw(film[t], words, left + width, strip, room, _FAINT, right=True)
    return film


def _margin(strip: int) -> int:
    return max(2, strip // 4)


def _text_size(text: str, strip: int, room: int) -> tuple[int, float]:
    """Width in pixels and font scale: as high as the strip allows, shrunk to the room."""
    (width, height), _ = cv2.getTextSize(text, _FONT, 1.0, 1)
    scale = min(0.5 * strip / height, (room - 2 * _margin(strip)) / width)
    scale = max(scale, 0.01)
    return int(np.ceil(width * scale)), scale


def _draw(image, text, edge, strip, room, colour, right=False):
    width, scale = _text_size(text, strip, room)
    left = edge - _margin(strip) - width if right else edge + _margin(strip)
    base = strip - max(3, round(0.27 * strip))
    cv2.putText(image, text, (left, base), _FONT, scale, colour, 1, cv2.LINE_AA)


def _caption_strip(names: list[str], width: int, strip: int, total: int) -> np.ndarray:
    picture = np.full((strip, total, 3), _STRIP, np.uint8)
    for column, name in enumerate(names):
        _draw(picture, name, column * (width + _SEPARATOR), strip, width, _TEXT)
    return picture


def write_video(
    path: str | os.PathLike, frames: np.ndarray, fps: float = 24, overwrite: bool = False
) -> str:
    """Writes frames as a GIF, an MP4, or a folder of PNGs, chosen by the ending of `path`.

    Written whole or not at all. A missing parent folder is created.

    Args:
        path: `x.gif`; `x.mp4` (VP9, which browsers play; odd sizes are padded by a row or column);
            or a folder, without an ending or with a slash at the end, for `0.png`, `1.png`, ...
        frames: Array of shape (T, height, width, 3), RGB, uint8 or floats in [0, 1].
        fps: Frames per second. A GIF counts in hundredths of a second, and viewers slow down
            anything under two of them: 24 becomes 25, and 50 is the most. PNGs have no speed.
        overwrite: Whether to replace an existing file, or folder of nothing but numbered PNGs.

    Returns:
        What was written, as a short text that names the format: `"GIF, 120 frames at 25 fps"`.

    Raises:
        ValueError: If `path` exists, its ending is unknown, there is nothing to write, or the
            installed OpenCV cannot write the format.
    """
    frames = to_uint8(frames)
    if frames.ndim != 4 or 0 in frames.shape:
        raise ValueError(
            f"Frames have the shape {frames.shape}; expected (T, height, width, 3), none of them 0."
        )
    suffix, path = check_output(path, fps, overwrite), Path(path)
    path.parent.mkdir(parents=True, exist_ok=True)
    if suffix == "":
        return _write_png_folder(path, frames)
    with written_whole(path) as partial:
        return (write_gif if suffix == ".gif" else _write_mp4)(partial, frames, fps)


def check_output(path: str | os.PathLike, fps: float = 24, overwrite: bool = False) -> str:
    """Checks what `write_video` is to write, before the frames are there.

    Args:
        path: As for `write_video`.
        fps: Frames per second.
        overwrite: Whether what exists may be replaced.

    Returns:
        `".gif"`, `".mp4"`, or `""` for a folder of PNGs.

    Raises:
        ValueError: If `path` exists, its ending is unknown, or `fps` is not positive.
    """
    if not 0 < fps < float("inf"):
        raise ValueError(f"fps={fps!r}; expected a positive number.")
    text, path = os.fspath(path), Path(path)
    suffix = "" if text.endswith(("/", os.sep)) else path.suffix.lower()
    if suffix not in ("", ".gif", ".mp4"):
        raise ValueError(
            f"{text}: the ending {path.suffix!r} is unknown; expected .gif, .mp4, or a folder for "
            "PNGs (no ending, or a slash at the end)."
        )
    if os.path.lexists(path):
        _check_replaceable(path, is_folder=suffix == "", overwrite=overwrite)
    return suffix


def _check_replaceable(path: Path, is_folder: bool, overwrite: bool) -> None:
    if is_folder and path.is_dir() and not any(path.iterdir()):
        return
    if not overwrite:
        raise ValueError(f"{path} exists already; choose another name, or pass overwrite=True.")
    if path.is_dir() != is_folder:
        kind = "folder" if path.is_dir() else "file"
        raise ValueError(f"{path} is a {kind} already; choose another name.")
    strangers = (
        [p.name for p in path.iterdir() if not re.fullmatch(r"\d+\.png", p.name)]
        if is_folder
        else []
    )
    if strangers:
        raise ValueError(
            f"{path} holds {strangers[0]!r}, which is no numbered PNG; nothing was replaced. "
            "Choose another folder."
        )


def _write_png_folder(folder: Path, frames: np.ndarray) -> str:
    partial = folder.with_name(f".{folder.name}.{os.getpid()}.partial")
    partial.mkdir()
    try:
        for number, frame in enumerate(frames):
            data = cv2.imencode(".png", frame[..., ::-1])[1]
            (partial / f"{number}.png").write_bytes(data.tobytes())
        if folder.is_dir():
            shutil.rmtree(folder)  # Checked before: empty, or numbered PNGs and nothing else.
        os.replace(partial, folder)
    finally:
        shutil.rmtree(partial, ignore_errors=True)
    return f"PNG frames, {len(frames)} files"


def _write_mp4(path: Path, frames: np.ndarray, fps: float) -> str:
    height, width = frames.shape[1:3]
    height, width = height + height % 2, width + width % 2
    fourcc = cv2.VideoWriter_fourcc(*"vp09")
    with _quiet_opencv():
        writer = cv2.VideoWriter(str(path), cv2.CAP_FFMPEG, fourcc, float(fps), (width, height))
    if not writer.isOpened():
        raise ValueError(
            "The installed OpenCV cannot write VP9 into an MP4 file. Write a .gif or a folder of "
            "PNGs instead, or install the wheel from PyPI: pip install opencv-python."
        )
    pad = (0, height - frames.shape[1], 0, width - frames.shape[2])
    with Progress(len(frames), "writing the video") as progress:
        for frame in frames:
            bgr = cv2.cvtColor(frame, cv2.COLOR_RGB2BGR)
            writer.write(cv2.copyMakeBorder(bgr, *pad, cv2.BORDER_REPLICATE))
            progress.update()
        writer.release()
    # VideoWriter.write reports nothing, not even a full disk.
    capture = cv2.VideoCapture(str(path), cv2.CAP_FFMPEG)
    count = int(capture.get(cv2.CAP_PROP_FRAME_COUNT)) if capture.isOpened() else 0
    capture.release()
    if count != len(frames):
        raise ValueError(
            f"Only {count} of {len(frames)} frames reached the MP4 file; is the disk full? "
            "A .gif or a folder of PNGs may work."
        )
    return f"MP4 (VP9), {len(frames)} frames at {fps:g} fps"


@contextlib.contextmanager
def _quiet_opencv() -> Iterator[None]:
    level = cv2.utils.logging.getLogLevel()
    cv2.utils.logging.setLogLevel(cv2.utils.logging.LOG_LEVEL_SILENT)
    try:
        yield
    finally:
        cv2.utils.logging.setLogLevel(level)
