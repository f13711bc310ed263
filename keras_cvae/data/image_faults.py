"""What is wrong with an image file, found without decoding it.

OpenCV reads many files that are cut, and fills what is lost with gray; it says so on stderr alone.
"""

import re
import zlib
from collections.abc import Iterator

from keras_cvae.data.image_header import JPEG, PNG

TRUNCATED, DAMAGED = "it is truncated", "its contents are damaged"

_PNG_IMAGE = {b"IHDR", b"PLTE", b"tRNS", b"IDAT", b"IEND"}  # other chunks change no pixel
# In the compressed part of a JPEG, 0 or a restart marker follows 0xff, or 0xff is a fill byte.
_MARKER = re.compile(rb"\xff[^\x00\xd0-\xd7\xff]")
_RESTART = re.compile(rb"\xff([\xd0-\xd7])")
_PROGRESSIVE = 0xC2
_FRAMES = {0xC0, 0xC1, _PROGRESSIVE}  # with Huffman codes: nearly all
_SCAN, _END, _INTERVAL = 0xDA, 0xD9, 0xDD
# More than encoders write: at most about 64 scans. Thousands would take hours to decode.
_MAX_SCANS, _MAX_SEGMENTS, _MAX_CHUNKS = 256, 10_000, 2**20
# The decoder reads up to eight bytes ahead. Ones are no code, so few blocks are made of them.
_PADDING = b"\xff\x00" * 8


def find_fault(data: bytes) -> str | None:
    """What is wrong with the container of an image file, or `None`."""
    if not data:
        return "it is empty"
    if data.startswith(PNG):
        return _png_fault(data)
    if data.startswith(JPEG):
        return _jpeg_fault(data)
    if data[:4] == b"RIFF" and data[8:12] == b"WEBP":
        whole = len(data) >= 8 + int.from_bytes(data[4:8], "little")
        return None if whole else TRUNCATED
    return "it is not a PNG, JPEG or WebP image"


def for_opencv(data: bytes) -> bytes:
    """The file in a form that OpenCV decodes in full or not at all.

    Of a PNG only the chunks of the image itself are left: no animation, on damaged ones of which
    OpenCV 4.12 crashes, and no metadata, about which it prints warnings.

    Where the data of a JPEG's scan end too early, the decoder fills the rest with gray if a marker
    follows, and fails if nothing follows. So the end marker and what is behind it are replaced by
    as much as the decoder reads ahead. A file with several scans needs its markers, and remains as
    it is. That all of its scans are there is checked by `find_fault`; then only the last one can
    be cut, which refines the image by little.

    Args:
        data: a file without a fault.
    """
    if data.startswith(PNG):
        chunks = _png_chunks(data)
        return PNG + b"".join(data[at:end] for kind, at, end in chunks if kind in _PNG_IMAGE)
    if not data.startswith(JPEG):
        return data
    start = _only_scan(data)
    marker = _MARKER.search(data, start) if start else None
    return data[: marker.start()] + _PADDING if marker else data


def _png_fault(data: bytes) -> str | None:
    for kind, at, end in _png_chunks(data):
        if len(data) < end:
            return TRUNCATED
        if zlib.crc32(data[at + 4 : end - 4]) != int.from_bytes(data[end - 4 : end], "big"):
            return DAMAGED
        if kind == b"IEND":
            return None
    return DAMAGED  # far too many chunks


def _png_chunks(data: bytes) -> Iterator[tuple[bytes, int, int]]:
    """Kind, start and end of each chunk up to the last one, which may be cut."""
    at = len(PNG)
    for _ in range(_MAX_CHUNKS):
        kind, end = data[at + 4 : at + 8], at + 12 + int.from_bytes(data[at : at + 4], "big")
        yield kind, at, end
        if kind == b"IEND" or end > len(data):
            return
        at = end


def _jpeg_fault(data: bytes) -> str | None:
    components: set[int] = set()
    complete: set[tuple[int, int]] = set()  # component and coefficient, to the last bit
    scans, interval, ended, frame = 0, 0, False, None
    for kind, content, _ in _segments(data):
        ended |= kind == _END
        if kind in _FRAMES:
            frame, components = kind, set(content[6::3])
        elif kind == _INTERVAL:
            interval = int.from_bytes(content, "big")
        elif kind == _SCAN and len(content) >= 4:
            scans += 1
            if scans > _MAX_SCANS:
                return DAMAGED
            first, last, bits = content[-3:] if frame == _PROGRESSIVE else (0, 63, 0)
            if bits & 15 == 0:
                of_scan = content[1:-3:2]
                complete |= {(c, k) for c in of_scan for k in range(first, min(last, 63) + 1)}
    if not ended:
        return TRUNCATED
    if frame is None:
        return None  # a rare kind, left to the decoder
    if any((c, k) not in complete for c in components for k in range(64)):
        return TRUNCATED  # scans are missing
    if (start := _only_scan(data)) and (end := _MARKER.search(data, start)):
        restarts = [m[1][0] - 0xD0 for m in _RESTART.finditer(data, start, end.start())]
        if (restarts and not interval) or any(n != i % 8 for i, n in enumerate(restarts)):
            return DAMAGED
    return None


def _only_scan(data: bytes) -> int | None:
    """Where the compressed data begin, if one scan of a sequential JPEG has all components."""
    components = None
    for kind, content, end in _segments(data):
        if kind in _FRAMES:
            components = content[5:6] if kind != _PROGRESSIVE else None
        elif kind == _SCAN:
            return end if components and components == content[:1] else None
    return None


def _segments(data: bytes) -> Iterator[tuple[int, bytes, int]]:
    """Marker, content and end of each segment of a JPEG, up to the end marker."""
    # Goes from marker to marker, because a thumbnail inside has its own end marker.
    at = 2
    for _ in range(_MAX_SEGMENTS):
        if not (marker := _MARKER.search(data, at)):
            return
        kind, at = marker.group()[1], marker.end()
        if kind == _END:
            yield kind, b"", at
            return
        start, at = at + 2, at + int.from_bytes(data[at : at + 2], "big")
        yield kind, data[start:at], at
