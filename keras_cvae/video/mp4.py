"""MP4 files: H.264 by PyAV where it is installed, else VP9 by OpenCV."""

import contextlib
import errno
import importlib
import os
from collections.abc import Iterator
from fractions import Fraction
from pathlib import Path
from typing import Any

import cv2
import numpy as np

from keras_cvae.errors import UserError, first_line
from keras_cvae.progress import Progress

_RATES = (0.01, 1000.0)  # frames per second that all players take
_BT601, _LIMITED = 6, 1  # FFmpeg's numbers of the colour matrix, and of the range 16 to 235


def write_mp4(path: Path, frames: np.ndarray, fps: float) -> str:
    """Writes an MP4. Use `keras_cvae.video.write_video`, which checks more.

    Args:
        path: the file to write; it is replaced if it exists.
        frames: (T, H, W, 3) uint8 RGB. An odd size gets one more row or column.
        fps: frames per second, of those that `check_rate` allows.

    Returns:
        What was written, in a few words.

    Raises:
        UserError: if the encoder refuses the frames, or no encoder is there.
        OSError: if the file cannot be written, as on a full disk.
    """
    av = _pyav()
    if av is None:
        _write_vp9(path, frames, fps)
    else:
        _write_h264(av, path, frames, fps)
    return f"MP4 ({'VP9' if av is None else 'H.264'}), {len(frames)} frames at {fps:g} fps"


def check_rate(fps: float) -> None:
    """Checks that an MP4 can have a rate.

    Raises:
        UserError: if it is below 0.01 or above 1000 frames per second.
    """
    if not _RATES[0] <= fps <= _RATES[1]:
        raise UserError(
            f"fps={fps:g}; expected from {_RATES[0]:g} to {_RATES[1]:g} frames per second for an "
            "MP4. Write a folder of PNGs to keep the frames without a rate."
        )


def _pyav() -> Any:
    """PyAV, or `None` where it or its encoder is absent."""
    try:
        av = importlib.import_module("av")
    except ImportError:
        return None
    return av if "libx264" in av.codecs_available else None


def _even_frames(frames: np.ndarray) -> Iterator[np.ndarray]:
    """The frames with the edge repeated where a side is odd, with progress."""
    pad = (0, frames.shape[1] % 2, 0, frames.shape[2] % 2)
    with Progress(len(frames), "writing the video") as progress:
        for frame in frames:
            yield cv2.copyMakeBorder(frame, *pad, cv2.BORDER_REPLICATE)
            progress.update()


def _write_h264(av: Any, path: Path, frames: np.ndarray, fps: float) -> None:
    rate = Fraction(fps).limit_denominator(60 * 1001)
    try:
        # The index in front lets browsers play the file while they load it.
        options = {"movflags": "faststart"}
        # Whole, for FFmpeg takes what stands before a colon as a protocol.
        with av.open(str(path.resolve()), "w", format="mp4", options=options) as container:
            stream = container.add_stream("libx264", rate=rate, options={"crf": "18"})
            stream.height, stream.width = (side + side % 2 for side in frames.shape[1:3])
            stream.pix_fmt = "yuv420p"
            # Without a name of the matrix, players take another one for large frames.
            context = stream.codec_context
            context.colorspace, context.color_range = _BT601, _LIMITED
            for frame in _even_frames(frames):
                picture = av.VideoFrame.from_ndarray(frame, format="rgb24")
                yuv = picture.reformat(
                    format="yuv420p", dst_colorspace="ITU601", dst_color_range="MPEG"
                )
                container.mux(stream.encode(yuv))
            container.mux(stream.encode())
    except av.FFmpegError as error:
        if error.errno in errno.errorcode and error.errno not in (errno.EINVAL, errno.ENOSYS):
            raise OSError(error.errno, os.strerror(error.errno)) from error
        raise UserError(
            f"The frames, {frames.shape[1]} x {frames.shape[2]} pixels (height x width), could not "
            f"be encoded as H.264 ({error.strerror or first_line(error)}). Make them smaller, or "
            "write a .gif or a folder of PNGs."
        ) from error


def _write_vp9(path: Path, frames: np.ndarray, fps: float) -> None:
    height, width = (side + side % 2 for side in frames.shape[1:3])
    fourcc = cv2.VideoWriter_fourcc(*"vp09")
    with _quiet_opencv():
        writer = cv2.VideoWriter(str(path), cv2.CAP_FFMPEG, fourcc, float(fps), (width, height))
    if not writer.isOpened():
        raise UserError(
            "Neither H.264 nor VP9 can be written into an MP4 file here. Write a .gif or a folder "
            "of PNGs instead, or install PyAV: pip install 'keras_cvae[video]'."
        )
    for frame in _even_frames(frames):
        writer.write(cv2.cvtColor(frame, cv2.COLOR_RGB2BGR))
    writer.release()
    # VideoWriter.write reports no error, not even a full disk.
    capture = cv2.VideoCapture(str(path), cv2.CAP_FFMPEG)
    count = int(capture.get(cv2.CAP_PROP_FRAME_COUNT)) if capture.isOpened() else 0
    capture.release()
    if count != len(frames):
        raise UserError(
            f"Only {count} of {len(frames)} frames reached the MP4 file; is the disk full? "
            "A .gif or a folder of PNGs may work."
        )


@contextlib.contextmanager
def _quiet_opencv() -> Iterator[None]:
    level = cv2.utils.logging.getLogLevel()
    cv2.utils.logging.setLogLevel(cv2.utils.logging.LOG_LEVEL_SILENT)
    try:
        yield
    finally:
        cv2.utils.logging.setLogLevel(level)
