import zlib

import cv2
import numpy as np
import pytest

from keras_cvae.data.image_faults import DAMAGED, TRUNCATED, find_fault, for_opencv


def jpeg(**options):
    image = np.random.default_rng(0).integers(0, 255, (64, 96, 3), dtype=np.uint8)
    flags = [part for k, v in options.items() for part in (getattr(cv2, f"IMWRITE_JPEG_{k}"), v)]
    return cv2.imencode(".jpg", image, flags)[1].tobytes()


def test_missing_scans_of_a_progressive_jpeg_are_found():
    data = jpeg(PROGRESSIVE=1)
    assert find_fault(data) is None and for_opencv(data) == data
    scans = [at for at in range(len(data)) if data[at : at + 2] == b"\xff\xda"]
    assert len(scans) > 5
    for at in scans[1:]:
        assert find_fault(data[:at] + b"\xff\xd9") == TRUNCATED
    assert find_fault(data[: scans[-1] - 40] + b"\xff\xd9") == TRUNCATED
    again = data[scans[-1] : -2] * 300
    assert find_fault(data[:-2] + again + b"\xff\xd9") == DAMAGED


def test_restart_markers_come_in_turn():
    data = jpeg(RST_INTERVAL=2)
    assert find_fault(data) is None
    assert find_fault(data.replace(b"\xff\xd3", b"\xff\xd6", 1)) == DAMAGED
    assert find_fault(data.replace(b"\xff\xd3", b"\xff\x00", 1)) == DAMAGED
    assert find_fault(data.replace(b"\xff\xdd", b"\xff\xef", 1)) == DAMAGED  # no interval


def test_pixels_are_lost_without_the_end_only_if_data_are_missing():
    data = jpeg()
    whole = cv2.imdecode(np.frombuffer(data, np.uint8), cv2.IMREAD_COLOR)
    for tail in (b"", b"trailer", data):
        form = for_opencv(data + tail)
        assert b"\xff\xd9" not in form
        image = cv2.imdecode(np.frombuffer(form, np.uint8), cv2.IMREAD_COLOR)
        np.testing.assert_array_equal(image, whole)
    cut = for_opencv(data[: len(data) // 2] + b"\xff\xd9")
    assert cv2.imdecode(np.frombuffer(cut, np.uint8), cv2.IMREAD_COLOR) is None


def test_of_a_png_the_image_alone_is_decoded():
    image = np.random.default_rng(0).integers(0, 255, (6, 9, 3), dtype=np.uint8)
    data = cv2.imencode(".png", image)[1].tobytes()
    extra = b""
    for kind in (b"acTL", b"fcTL", b"tEXt", b"iCCP"):
        extra += bytes([0, 0, 0, 4]) + kind + b"1234"
        extra += zlib.crc32(kind + b"1234").to_bytes(4, "big")
    whole = data[:33] + extra + data[33:]
    assert find_fault(whole) is None and for_opencv(whole + b"trailer") == data


@pytest.mark.parametrize(
    ("data", "fault"),
    [
        (b"", "it is empty"),
        (b"GIF89a", "it is not a PNG, JPEG or WebP image"),
        (b"\xff\xd8", TRUNCATED),
        (b"\xff\xd8\xff\xda", TRUNCATED),
        (b"\xff\xd8\xff\xc0\xff\xda\xff\xd9", TRUNCATED),
        (b"\x89PNG\r\n\x1a\n", TRUNCATED),
        (b"RIFF\xff\xff\0\0WEBPVP8 ", TRUNCATED),
    ],
)
def test_short_files(data, fault):
    assert find_fault(data) == fault
