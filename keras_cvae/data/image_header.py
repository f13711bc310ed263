"""Size and orientation of an image file from its header; nothing is decoded."""

from collections.abc import Iterator
from typing import BinaryIO, NamedTuple

import numpy as np

PNG = b"\x89PNG\r\n\x1a\n"
JPEG = b"\xff\xd8"

_FRAME_MARKERS = frozenset(range(0xC0, 0xD0)) - {0xC4, 0xC8, 0xCC}  # JPEG's SOFn: the size
_SCAN, _END = 0xDA, 0xD9  # what comes after the headers of a JPEG
_MAX_FILL = 1000  # bytes 0xff before a JPEG marker
# More than any encoder writes; without a bound, hundreds of megabytes would be gone through.
_MAX_SEGMENTS, _MAX_CHUNKS = 10_000, 100_000
_EXIF = b"Exif\0\0"  # before the TIFF data, in JPEG always, elsewhere sometimes
_MAX_EXIF = 2**20  # bytes; the orientation is at their beginning
_ORIENTATION_TAG = 0x0112


class Header(NamedTuple):
    """What the header of an image file says.

    Args:
        height, width: of the stored pixels, both positive.
        orientation: 1 to 8 as in EXIF; 1 leaves the pixels as they are stored.
    """

    height: int
    width: int
    orientation: int

    @property
    def size(self) -> tuple[int, int]:
        """`(height, width)` as the image is seen, its orientation heeded."""
        turned = self.orientation >= 5
        return (self.width, self.height) if turned else (self.height, self.width)


def read_header(file: BinaryIO) -> Header | None:
    """Reads the header of a PNG, JPEG or WebP image.

    Args:
        file: open for reading bytes, and seekable.

    Returns:
        The header, or `None` if the file is of another kind or its header is damaged.
    """
    file.seek(0)
    start = file.read(12)
    if start.startswith(PNG):
        header = _png(file)
    elif start.startswith(JPEG):
        header = _jpeg(file)
    elif start[:4] == b"RIFF" and start[8:] == b"WEBP":
        header = _webp(file)
    else:
        return None
    return header if header and min(header[:2]) > 0 else None


def upright(image: np.ndarray, orientation: int) -> np.ndarray:
    """Turns stored pixels so that the image is seen as it was taken.

    Args:
        image: (H, W, channels).
        orientation: 1 to 8 as in EXIF.

    Returns:
        The image, contiguous; 5 to 8 exchange height and width.
    """
    if orientation >= 5:  # rows are columns
        image = image.swapaxes(0, 1)
    if orientation in (3, 4, 7, 8):
        image = image[::-1]
    if orientation in (2, 3, 6, 7):
        image = image[:, ::-1]
    return np.ascontiguousarray(image)


def _png(file: BinaryIO) -> Header | None:
    size, orientation = None, 1
    for kind, length in _chunks(file, len(PNG), "big"):
        if size is None:
            data = file.read(13)
            if kind != b"IHDR" or len(data) < 13:
                return None
            size = int.from_bytes(data[4:8], "big"), int.from_bytes(data[:4], "big")
        elif kind == b"eXIf":  # it may come after the pixels
            orientation = _orientation(file.read(min(length, _MAX_EXIF)))
            break
    return size and Header(*size, orientation)


def _webp(file: BinaryIO) -> Header | None:
    size, orientation = None, 1
    for kind, length in _chunks(file, 12, "little"):
        if size is None:
            size = _webp_size(kind, file.read(10))
            if size is None or kind != b"VP8X":
                break  # only the extended format has more
        elif kind == b"EXIF":
            orientation = _orientation(file.read(min(length, _MAX_EXIF)))
            break
    return size and Header(*size, orientation)


def _chunks(file: BinaryIO, at: int, order: str) -> Iterator[tuple[bytes, int]]:
    """Kind and length of each chunk; the file stands at its content. PNG has big-endian numbers."""
    big = order == "big"
    for _ in range(_MAX_CHUNKS):
        file.seek(at)
        head = file.read(8)
        kind, length = (head[4:], head[:4]) if big else (head[:4], head[4:])
        if len(head) < 8 or not kind[:1].isalpha():
            return
        size = int.from_bytes(length, "big" if big else "little")
        yield kind, size
        at += size + 12 if big else 8 + size + size % 2  # a checksum; an even size


def _webp_size(kind: bytes, data: bytes) -> tuple[int, int] | None:
    if kind == b"VP8X" and len(data) == 10:
        width, height = (int.from_bytes(data[at : at + 3], "little") + 1 for at in (4, 7))
    elif kind == b"VP8 " and data[3:6] == b"\x9d\x01\x2a" and len(data) == 10:
        width, height = (int.from_bytes(data[at : at + 2], "little") & 0x3FFF for at in (6, 8))
    elif kind == b"VP8L" and data[:1] == b"\x2f" and len(data) == 10:
        bits = int.from_bytes(data[1:5], "little")
        width, height = (bits & 0x3FFF) + 1, (bits >> 14 & 0x3FFF) + 1
    else:
        return None
    return height, width


def _jpeg(file: BinaryIO) -> Header | None:
    file.seek(len(JPEG))
    orientation = None
    for _ in range(_MAX_SEGMENTS):
        if (kind := _marker(file)) in (None, _SCAN, _END):
            return None
        length = int.from_bytes(file.read(2), "big") - 2
        if length < 0:
            return None
        end = file.tell() + length
        if kind in _FRAME_MARKERS:
            data = file.read(5)
            if len(data) < 5:
                return None
            size = int.from_bytes(data[1:3], "big"), int.from_bytes(data[3:], "big")
            return Header(*size, orientation or 1)
        if kind == 0xE1 and orientation is None:  # the first EXIF data count
            data = file.read(length)
            orientation = _orientation(data) if data.startswith(_EXIF) else None
        file.seek(end)
    return None


def _marker(file: BinaryIO) -> int | None:
    byte = file.read(1)
    if byte != b"\xff":
        return None
    for _ in range(_MAX_FILL):
        if byte != b"\xff":
            break
        byte = file.read(1)
    return byte[0] if byte not in (b"", b"\0", b"\xff") else None


def _orientation(data: bytes) -> int:
    tiff = data.removeprefix(_EXIF)
    if tiff[:4] not in (b"II*\0", b"MM\0*"):
        return 1
    little = tiff[:1] == b"I"

    def number(at: int, length: int) -> int:
        return int.from_bytes(tiff[at : at + length], "little" if little else "big")

    first = number(4, 4) + 2
    count = min(number(first - 2, 2), (len(tiff) - first) // 12)
    for at in range(first, first + 12 * count, 12):
        if number(at, 2) == _ORIENTATION_TAG:
            value = number(at + 8, 4 if number(at + 2, 2) == 4 else 2)  # a long or a short
            return value if 1 <= value <= 8 else 1
    return 1
