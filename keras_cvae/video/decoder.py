"""Videos opened with PyAV, so that their content cannot do harm, and their decoded frames."""

import contextlib
import itertools
import os
from collections.abc import Iterator
from typing import Any, BinaryIO

import numpy as np

from keras_cvae.errors import UserError, optional_package, positive_variable
from keras_cvae.files import check_regular
from keras_cvae.images import MAX_PIXELS, MAX_PIXELS_VARIABLE, check_pixels
from keras_cvae.video.claims import check_claims, is_mp4

# Containers of one file. Playlists and scripts, which FFmpeg recognizes by their content whatever
# their name is, make it read other files and the network.
_MP4 = "mov,mp4,m4a,3gp,3g2,mj2"
_OTHERS = "matroska,webm,avi,gif,mpegts,mpeg,mpegvideo,flv,asf,ogg,m4v,h264,hevc,ivf"
_KINDS = "MP4, MOV, MKV, WebM, AVI, MPEG, FLV, WMV, OGG, GIF"
_OLDEST = (17, 1)  # of PyAV: earlier ones crash when they open an MPEG file with options
_CONVERT = "Replace the file, or convert it: ffmpeg -i IN -c:v libx264 OUT.mp4"


class Decoder:
    """A video that is open. See `opened`.

    Args:
        av: PyAV.
        name: how errors name the file.
        container: of PyAV, open.
        stream: of PyAV, the video stream in it.
    """

    def __init__(self, av: Any, name: str, container: Any, stream: Any):
        self.damaged = 0  # packets that could not be decoded
        self.codec: str = stream.codec_context.name
        self.frame_size: tuple[int, int] | None = None  # height, width: of the first frame, upright
        self._name, self._container, self._stream = name, container, stream
        # PyAV's errors derive from FFmpegError alone or from one of Python's as well.
        self._faults = (av.FFmpegError, ValueError, OSError, ArithmeticError, LookupError)
        self._shape: tuple[int, int] = (0, 0)
        self._matrix: np.ndarray | None = None

    def stated_rate(self) -> float | None:
        """Frames per second that the file states."""
        rate = self._stream.average_rate or self._stream.guessed_rate
        return float(rate) if rate else None

    def seconds(self, stamp: int) -> float:
        """A time stamp of a packet or frame in seconds."""
        return float(stamp * self._stream.time_base)

    def packets(self) -> Iterator[Any]:
        """The packets of the video; the last one is empty and makes the decoder give the rest."""
        try:
            yield from self._container.demux(self._stream)
        except self._faults:
            self.damaged += 1  # what is behind it cannot be found

    def shown(self, packet: Any) -> bool:
        """Whether a packet holds a frame to show."""
        if not packet.size or packet.is_discard:
            return False
        # A VP8 packet without this bit is a picture that others refer to, and has a stamp.
        return self.codec != "vp8" or bool(bytes(memoryview(packet)[:1])[0] & 0x10)

    def decode(self, packet: Any) -> list:
        """The frames that the decoder gives for a packet, often of earlier ones; `None` ends it."""
        try:
            frames = self._stream.codec_context.decode(packet)
        except EOFError:
            return []
        except self._faults:
            self.damaged += 1
            return []
        # FFmpeg patches up what is lost of a picture with gray, and tells so.
        good = [frame for frame in frames if not frame.is_corrupt]
        self.damaged += len(frames) - len(good)
        if good and self.frame_size is None:
            self._take_size(good[0])
        return good

    def frames(self) -> Iterator[tuple[float | None, Any]]:
        """Time stamps in seconds and frames, in the order of display."""
        # The container ends the decoder itself, but not behind a fault.
        for packet in itertools.chain(self.packets(), [None]):
            for frame in self.decode(packet):
                # AVI has no times of display. A decoded frame's other time is in their order too.
                stamp = frame.dts if frame.pts is None else frame.pts
                yield None if stamp is None else self.seconds(stamp), frame

    def picture(self, frame: Any) -> np.ndarray:
        """A frame as (H, W, 3) uint8 RGB, upright, of the first one's size."""
        height, width = self._shape
        try:
            image = frame.reformat(width=width, height=height, format="rgb24").to_ndarray()
        except self._faults as error:
            raise self.fault(f"its pixels ({frame.format.name}) cannot be converted") from error
        return np.ascontiguousarray(_upright(image, self._matrix))

    def fault(self, what: str) -> UserError:
        """An error that names the file and the way out."""
        return UserError(f"Cannot read video {self._name}: {what}. {_CONVERT}")

    def no_frame(self) -> UserError:
        """The error for a video of which nothing could be decoded."""
        return self.fault(f"no frame could be decoded (codec {self.codec})")

    def _take_size(self, frame: Any) -> None:
        check_pixels(frame.height, frame.width, f"Video {self._name}")
        self._shape = (frame.height, frame.width)
        matrix = frame.side_data.get("DISPLAYMATRIX")
        if matrix is not None and len(bytes(matrix)) == 36:
            self._matrix = np.frombuffer(bytes(matrix), np.int32).reshape(3, 3)
        seen = _upright(np.broadcast_to(np.uint8(0), (*self._shape, 3)), self._matrix)
        self.frame_size = (seen.shape[0], seen.shape[1])


@contextlib.contextmanager
def opened(path: str | os.PathLike) -> Iterator[Decoder]:
    """Opens a video.

    The content cannot make FFmpeg open another file or the network, nor take memory for more than
    the file holds.

    Args:
        path: the file.

    Yields:
        `Decoder`.

    Raises:
        UserError: if it is missing, empty, damaged, of another kind, has no video, or is larger
            than `images.check_pixels` allows, or PyAV is not installed or too old.
    """
    av, name = _pyav(), os.fspath(path)
    pixels = str(positive_variable(MAX_PIXELS_VARIABLE, MAX_PIXELS))
    with _file(name) as file:
        formats = _OTHERS
        if is_mp4(file):
            formats = _MP4
            check_claims(file, name)
        options = {"format_whitelist": formats, "protocol_whitelist": "none", "max_pixels": pixels}
        try:
            container = av.open(file, "r", options=options, metadata_errors="replace")
        except (av.FFmpegError, ValueError, ArithmeticError, LookupError) as error:
            raise _unreadable(name, f"it is damaged, or no video ({_KINDS})") from error
        with container:
            # PyAV's default guesses stamps that are absent, and they are wrong with B-frames.
            container.flags &= ~av.container.Flags.gen_pts.value
            stream = container.streams.best("video")
            if stream is None or stream.disposition & av.stream.Disposition.attached_pic:
                raise _unreadable(name, "there is no video in it")
            if stream.codec_context is None:
                raise UserError(f"Cannot read video {name}: its codec is unknown. {_CONVERT}")
            check_pixels(stream.height or 0, stream.width or 0, f"Video {name}")
            stream.thread_type = "AUTO"
            stream.codec_context.options = {"max_pixels": pixels}
            yield Decoder(av, name, container, stream)


def _pyav() -> Any:
    av = optional_package("av", "video", "to read videos")
    if tuple(int(part) for part in av.__version__.split(".")[:2]) < _OLDEST:
        raise UserError(
            f"PyAV {av.__version__} is too old to read videos; expected {_OLDEST[0]}.{_OLDEST[1]} "
            "or later. Install it with pip install -U 'keras_cvae[video]'."
        )
    return av


@contextlib.contextmanager
def _file(name: str) -> Iterator[BinaryIO]:
    if "\0" in name:
        raise _unreadable(name, "its name holds a zero byte")
    try:
        with open(check_regular(name), "rb") as file:
            if not os.fstat(file.fileno()).st_size:
                raise _unreadable(name, "it is empty")
            yield file
    except (OSError, UnicodeError) as error:
        fault = getattr(error, "strerror", None) or "its name is none that a file can have"
        raise _unreadable(name, fault) from error


def _unreadable(name: str, fault: str) -> UserError:
    return UserError(f"Cannot read video {name}: {fault}. Give another file.")


def _upright(image: np.ndarray, matrix: np.ndarray | None) -> np.ndarray:
    """An image turned and mirrored by FFmpeg's display matrix, to multiples of 90 degrees."""
    if matrix is None:
        return image
    # x and y of a pixel go to x * matrix[0, :2] + y * matrix[1, :2].
    (xx, xy), (yx, yy) = matrix[:2, :2].astype(int)
    if abs(xx) + abs(yy) >= abs(xy) + abs(yx):
        return image[:: 1 if yy >= 0 else -1, :: 1 if xx >= 0 else -1]
    return image.swapaxes(0, 1)[:: 1 if xy >= 0 else -1, :: 1 if yx >= 0 else -1]
