import io
import time

import numpy as np
import pytest

from keras_cvae.data.image_header import Header, read_header, upright

WEBP = b"RIFF\x40\0\0\0WEBP"
SIZE = b"\xff\xc0\0\x11\x08\0\x05\0\x07\x03" + bytes(9)  # of a JPEG: 5 x 7


def header(data):
    return read_header(io.BytesIO(data))


def jpeg_exif(tiff):
    body = b"Exif\0\0" + tiff
    return b"\xff\xe1" + (len(body) + 2).to_bytes(2, "big") + body


@pytest.mark.parametrize(
    ("chunk", "size"),
    [
        (b"VP8X\x0a\0\0\0" + bytes(4) + b"\x06\0\0\x04\0\0", (5, 7)),
        (b"VP8 \x20\0\0\0" + b"123\x9d\x01\x2a\x07\x40\x05\x80", (5, 7)),  # 14 bits each
        (b"VP8L\x20\0\0\0\x2f" + (6 | 4 << 14 | 1 << 28).to_bytes(4, "little") + bytes(5), (5, 7)),
        (b"VP8 \x20\0\0\0" + bytes(10), None),
        (b"ALPH\x20\0\0\0" + bytes(10), None),
        (b"", None),
    ],
)
def test_kinds_of_webp(chunk, size):
    found = header(WEBP + chunk)
    assert found == (size and Header(*size, 1))


def test_a_jpeg_has_its_size_behind_other_segments():
    assert header(b"\xff\xd8" + SIZE) == (5, 7, 1)
    thumbnail = b"\xff\xe0\0\x17\xff\xd8" + SIZE.replace(b"\x05", b"\x09")
    assert header(b"\xff\xd8" + thumbnail + b"\xff\xff\xff" + SIZE) == (5, 7, 1)
    for broken in (
        b"",
        b"x",
        b"\xff",
        b"\xff" * 10**6,
        b"\xff\xda\0\x02",
        b"\xff\xe0\0\0",
        SIZE[:7],
    ):
        assert header(b"\xff\xd8" + broken) is None
    assert header(b"\xff\xd8" + SIZE.replace(b"\x05", b"\0")) is None


@pytest.mark.parametrize(
    ("tiff", "orientation"),
    [
        (b"MM\0*\0\0\0\x08\0\x01\x01\x12\0\x03\0\0\0\x01\0\x06\0\0", 6),
        (b"II*\0\x08\0\0\0\x01\0\x12\x01\x03\0\x01\0\0\0\x08\0\0\0", 8),
        (b"II*\0\x08\0\0\0\x01\0\x12\x01\x04\0\x01\0\0\0\x03\0\0\0", 3),  # a long
        (b"MM\0*\0\0\0\x08\0\x01\x01\x12\0\x03\0\0\0\x01\0\x09\0\0", 1),
        (b"MM\0*\0\0\0\x08\xff\xff" + bytes(30), 1),
        (b"MM\0*\xff\xff\xff\xff", 1),
        (b"hello", 1),
        (b"", 1),
    ],
)
def test_orientations(tiff, orientation):
    assert header(b"\xff\xd8" + jpeg_exif(tiff) + SIZE) == (5, 7, orientation)


def test_size_and_pixels_turn_alike():
    image = np.arange(5 * 7 * 3).reshape(5, 7, 3)
    for orientation in range(1, 9):
        turned = upright(image, orientation)
        assert turned.shape[:2] == Header(5, 7, orientation).size
        assert turned.flags.c_contiguous


def test_other_files_have_no_header():
    png = b"\x89PNG\r\n\x1a\n\0\0\0\x0dIHDR\0\0\0\x07\0\0\0\x05" + bytes(9)
    assert header(png) == (5, 7, 1)
    for data in (b"", b"hello", png[:20], png.replace(b"IHDR", b"tEXt"), b"RIFF    WAVE"):
        assert header(data) is None


def test_no_file_is_gone_through_for_long():
    png = b"\x89PNG\r\n\x1a\n\0\0\0\x0dIHDR\0\0\0\x07\0\0\0\x05" + bytes(9)
    began = time.monotonic()
    assert header(png + bytes(10**7)) == header(png + b"\0\0\0\0texttext" * 10**6) == (5, 7, 1)
    assert header(b"\xff\xd8" + b"\xff\xe0\0\x02" * 10**6) is None
    assert time.monotonic() - began < 5
