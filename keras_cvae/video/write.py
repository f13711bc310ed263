"""A video as a GIF, an MP4 or a folder of PNGs. Needs NumPy and OpenCV; PyAV if it is there."""

import os
import re
import shutil
from pathlib import Path

import cv2
import numpy as np

from keras_cvae.errors import UserError
from keras_cvae.files import written_whole
from keras_cvae.images import check_pixels, to_uint8
from keras_cvae.video.gif import write_gif
from keras_cvae.video.mp4 import check_rate, write_mp4


def write_video(
    path: str | os.PathLike, frames: np.ndarray, fps: float = 24, overwrite: bool = False
) -> str:
    """Writes frames as a GIF, an MP4, or a folder of PNGs, by the ending of `path`.

    It is written whole or not at all. Missing parent folders are made.

    Args:
        path: `x.gif`; `x.mp4` (H.264, which plays everywhere, where PyAV is installed, else VP9,
            which browsers play; an odd size gets one more row or column); or a folder, without an
            ending or with a slash at the end, for `0.png`, `1.png`, ...
        frames: (T, H, W, 3) RGB, uint8 or floats in [0, 1].
        fps: frames per second. A GIF counts in hundredths of a second, and viewers show a frame for
            at least two of them: 24 becomes 25, and 50 is the largest value. An MP4 has from
            0.01 to 1000. PNGs ignore it.
        overwrite: whether an existing file, or a folder that holds numbered PNGs alone, is
            replaced.

    Returns:
        A short text that names the format, such as `"GIF, 120 frames at 25 fps"`.

    Raises:
        UserError: if `path` exists, its ending is unknown, there is nothing to write, the frames
            are too large, or the format cannot be written here.

    Example:

    ```python
    write_video("rollout.gif", model.predict_video(first_frame, poses))
    ```
    """
    frames = to_uint8(frames)
    if frames.ndim != 4 or 0 in frames.shape:
        raise UserError(
            f"Frames have the shape {frames.shape}; expected (T, height, width, 3), none of them 0."
        )
    check_pixels(frames.shape[1], frames.shape[2], "A frame of the video")
    suffix, path = check_output(path, fps, overwrite), Path(path)
    path.parent.mkdir(parents=True, exist_ok=True)
    if suffix == "":
        return _write_png_folder(path, frames)
    with written_whole(path) as partial:
        return (write_gif if suffix == ".gif" else write_mp4)(partial, frames, fps)


def check_output(path: str | os.PathLike, fps: float = 24, overwrite: bool = False) -> str:
    """Checks the arguments of `write_video` before the frames are computed.

    Args:
        path, fps, overwrite: as for `write_video`.

    Returns:
        `".gif"`, `".mp4"`, or `""` for a folder of PNGs.

    Raises:
        UserError: if `path` exists, its ending is unknown, or `fps` is not positive and finite, or
            outside the range of an MP4.
    """
    if not 0 < fps < float("inf"):
        raise UserError(f"fps={fps!r}; expected a positive number.")
    text, path = os.fspath(path), Path(path)
    suffix = "" if text.endswith(("/", os.sep)) else path.suffix.lower()
    if suffix not in ("", ".gif", ".mp4"):
        raise UserError(
            f"{text}: the ending {path.suffix!r} is unknown; expected .gif, .mp4, or a folder for "
            "PNGs (no ending, or a slash at the end)."
        )
    if suffix == ".mp4":
        check_rate(fps)
    if os.path.lexists(path):
        _check_replaceable(path, is_folder=suffix == "", overwrite=overwrite)
    return suffix


def _check_replaceable(path: Path, is_folder: bool, overwrite: bool) -> None:
    if is_folder and path.is_dir() and not any(path.iterdir()):
        return
    if not overwrite:
        raise UserError(f"{path} exists already; choose another name, or pass overwrite=True.")
    if path.is_dir() != is_folder:
        kind = "folder" if path.is_dir() else "file"
        raise UserError(f"{path} is a {kind} already; choose another name.")
    strangers = (
        [p.name for p in path.iterdir() if not re.fullmatch(r"\d+\.png", p.name)]
        if is_folder
        else []
    )
    if strangers:
        raise UserError(
            f"{path} holds {strangers[0]!r}, which is no numbered PNG; nothing was replaced. "
            "Choose another folder."
        )


def _write_png_folder(folder: Path, frames: np.ndarray) -> str:
    partial = folder.with_name(f".{folder.name}.{os.getpid()}.partial")
    partial.mkdir()
    try:
        for number, frame in enumerate(frames):
            done, data = cv2.imencode(".png", frame[..., ::-1])
            if not done:
                raise UserError(
                    f"OpenCV could not write a PNG of {frame.shape[0]} x {frame.shape[1]} pixels "
                    "(height x width). Make the frames smaller."
                )
            (partial / f"{number}.png").write_bytes(data.tobytes())
        if folder.is_dir():
            shutil.rmtree(folder)  # checked before: it is empty, or holds numbered PNGs alone
        os.replace(partial, folder)
    finally:
        shutil.rmtree(partial, ignore_errors=True)
    return f"PNG frames, {len(frames)} files"
