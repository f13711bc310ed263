import os
import zlib

import cv2
import numpy as np
import pytest

from keras_cvae.data import decoding
from keras_cvae.data.decoding import image_size, read_image, read_images, resize_image
from keras_cvae.errors import UserError


def picture(height=60, width=100):
    """Smooth colours, different in every channel, RGB."""
    coarse = np.random.default_rng(0).integers(0, 255, (4, 6, 3), dtype=np.uint8)
    return cv2.resize(coarse, (width, height), interpolation=cv2.INTER_LINEAR)


def encoded(image, suffix, options=()):
    channels = image.shape[2] if image.ndim == 3 else 1
    order = {3: cv2.COLOR_RGB2BGR, 4: cv2.COLOR_RGBA2BGRA}.get(channels)
    bgr = image if order is None else cv2.cvtColor(image, order)
    return cv2.imencode(suffix, bgr, list(options))[1].tobytes()


def write(path, image):
    path.write_bytes(encoded(image, path.suffix))
    return path


@pytest.mark.parametrize(
    ("name", "tolerance"),
    [("0.png", 0), ("0.jpg", 4), ("0.JPEG", 4), ("0.webp", 4), ("bild_ä_写真.png", 0)],
)
def test_formats_come_as_rgb(tmp_path, name, tolerance):
    path = write(tmp_path / name, picture())
    image = read_image(path)
    assert image.dtype == np.uint8 and image.shape == (60, 100, 3)
    assert np.abs(image.astype(int) - picture()).mean() <= tolerance


def test_gray_becomes_rgb(tmp_path):
    gray = picture()[..., 0]
    image = read_image(write(tmp_path / "0.png", gray))
    np.testing.assert_array_equal(image, np.repeat(gray[..., None], 3, axis=2))


def test_sixteen_bits_are_scaled_to_eight(tmp_path):
    np.testing.assert_array_equal(
        read_image(write(tmp_path / "colour.png", picture().astype(np.uint16) * 257)), picture()
    )
    gray = np.array([[0, 128, 129, 51399, 65535]], np.uint16)
    image = read_image(write(tmp_path / "gray.png", gray))
    assert image[0, :, 0].tolist() == [0, 0, 1, 200, 255]


def test_alpha_is_composited_on_black(tmp_path):
    alpha = np.zeros((60, 100, 1), np.uint8)
    alpha[:30], alpha[30:40] = 255, 128
    rgba = np.concatenate([picture(), alpha], axis=2)
    image = read_image(write(tmp_path / "0.png", rgba))
    np.testing.assert_array_equal(image[:30], picture()[:30])
    np.testing.assert_allclose(image[30:40], picture()[30:40] * (128 / 255), atol=0.51)
    assert (image[40:] == 0).all()


@pytest.mark.parametrize("suffix", [".png", ".jpg", ".webp"])
@pytest.mark.parametrize("kept", [0.01, 0.3, 0.9, -20, -2, -1])
def test_truncated_files_are_named(tmp_path, suffix, kept):
    data = encoded(picture(), suffix)
    cut = data[: kept if kept < 0 else int(kept * len(data))]
    path = tmp_path / f"7{suffix}"
    path.write_bytes(cut)
    with pytest.raises(ValueError, match=rf"7\{suffix}: it is (truncated|not a PNG)"):
        read_image(path)


@pytest.mark.parametrize("progressive", [0, 1])
def test_a_thumbnail_does_not_hide_that_a_jpeg_is_truncated(tmp_path, progressive):
    data = encoded(picture(), ".jpg", [cv2.IMWRITE_JPEG_PROGRESSIVE, progressive])
    thumbnail = encoded(picture(8, 8), ".jpg")
    segment = b"\xff\xe1" + (len(thumbnail) + 2).to_bytes(2, "big") + thumbnail
    whole = data[:2] + segment + data[2:]
    (tmp_path / "whole.jpg").write_bytes(whole)
    assert read_image(tmp_path / "whole.jpg").shape == (60, 100, 3)
    (tmp_path / "cut.jpg").write_bytes(whole[:-100])
    with pytest.raises(ValueError, match="cut.jpg: it is truncated"):
        read_image(tmp_path / "cut.jpg")


def test_other_faults_are_named(tmp_path):
    data = bytearray(encoded(picture(), ".png"))
    data[len(data) // 2] ^= 0x55
    (tmp_path / "flipped.png").write_bytes(data)
    (tmp_path / "empty.png").write_bytes(b"")
    (tmp_path / "text.png").write_text("hello")
    (tmp_path / "folder.png").mkdir()
    for name, fault in (
        ("flipped.png", "damaged"),
        ("empty.png", "empty"),
        ("text.png", "not a PNG, JPEG or WebP"),
        ("folder.png", "directory"),
        ("absent.png", "No such file"),
    ):
        with pytest.raises(ValueError, match=rf"{name}: .*{fault}"):
            read_image(tmp_path / name)


def test_shrinking_averages_and_growing_is_smooth():
    dots = np.zeros((8, 8, 3), np.uint8)
    dots[::4, ::4] = 160  # one in sixteen pixels
    assert (resize_image(dots, (2, 2)) == 10).all()
    assert (resize_image(dots, (2, 16)).mean(axis=1) == 10).all()  # shrinks one side only
    ramp = np.zeros((2, 2, 3), np.uint8)
    ramp[:, 1] = 200
    grown = resize_image(ramp, (2, 10))[0, :, 0].astype(int)
    assert grown.shape == (10,) and (np.diff(grown) >= 0).all() and len(set(grown)) > 4
    assert resize_image(ramp, (2, 2)) is ramp


@pytest.mark.parametrize("at_once", [7, 20, 4096])
def test_many_images_keep_their_order_and_native_sizes(tmp_path, monkeypatch, at_once):
    monkeypatch.setattr(decoding, "_AT_ONCE", at_once)
    paths = [write(tmp_path / f"{n}.png", np.full((10 + n, 20, 3), n, np.uint8)) for n in range(20)]
    images, sizes = read_images(paths, frame_size=(5, 10))
    assert images.shape == (20, 5, 10, 3)
    assert (images == np.arange(20)[:, None, None, None]).all()
    assert sizes == [(10 + n, 20) for n in range(20)]
    with pytest.raises(ValueError, match=r"0\.png is 10 x 20, .*1\.png 11 x 20"):
        read_images(paths)
    paths[13].write_bytes(paths[13].read_bytes()[:-30])
    with pytest.raises(ValueError, match=r"13\.png: it is truncated"):
        read_images(paths, frame_size=(5, 10))


def test_the_size_is_read_from_the_header(tmp_path):
    for suffix in (".png", ".jpg", ".webp"):
        path = write(tmp_path / f"0{suffix}", picture())
        assert image_size(path) == (60, 100)
    with pytest.raises(UserError, match=r"absent\.png: No such file"):
        image_size(tmp_path / "absent.png")
    path.write_bytes(path.read_bytes()[:20])
    with pytest.raises(UserError, match=r"0\.webp: it is truncated"):
        image_size(path)


def test_large_images_are_refused_before_they_are_decoded(tmp_path, monkeypatch):
    path = write(tmp_path / "0.png", picture())
    monkeypatch.setenv("KERAS_CVAE_MAX_PIXELS", "6000")
    assert read_image(path).shape == (60, 100, 3)
    monkeypatch.setenv("KERAS_CVAE_MAX_PIXELS", "5999")
    monkeypatch.setattr(cv2, "imdecode", None)
    for read in (read_image, image_size, lambda path: read_images([path])):
        with pytest.raises(UserError, match=r"0\.png is 60 x 100 pixels .*the bound of 5999"):
            read(path)
    with open(path, "ab") as file:
        file.truncate(8 * 5999 + 2**20 + 1)
    with pytest.raises(UserError, match=r"0\.png: it has 1096569 bytes, more than the bound"):
        read_image(path)


def test_what_does_not_fit_into_the_memory_is_named(tmp_path):
    path = write(tmp_path / "0.png", picture())
    with pytest.raises(UserError, match=r"1000000 images of 60 x 100000000 pixels .* GiB"):
        read_images([path] * 10**6, (60, 10**8))


def test_only_regular_files_are_opened(tmp_path):
    os.mkfifo(tmp_path / "0.png")
    (tmp_path / "1.png").symlink_to("absent.png")
    (tmp_path / "2.png").symlink_to("2.png")
    for path, message in (
        (tmp_path / "0.png", r"0\.png is no regular file"),
        (tmp_path / "1.png", r"1\.png: it is a link to a file that does not exist"),
        (tmp_path / "2.png", r"2\.png: it is a link to a file that does not exist"),
        ("/dev/zero", "/dev/zero is no regular file"),
        ("a\0.png", "zero byte"),
        ("\ud800.png", "its name is none"),
    ):
        for read in (read_image, image_size):
            with pytest.raises(UserError, match=message):
                read(path)


@pytest.mark.parametrize("options", [(), (cv2.IMWRITE_JPEG_RST_INTERVAL, 2)])
@pytest.mark.parametrize("kept", [0.02, 0.5, 0.9])
def test_a_truncated_jpeg_with_an_end_marker_is_named(tmp_path, options, kept):
    noisy = np.random.default_rng(0).integers(0, 255, (60, 100, 3), dtype=np.uint8)
    data = encoded(noisy, ".jpg", options)
    scan = data.index(b"\xff\xda") + 14
    cut = data[: scan + int(kept * (len(data) - scan))] + b"\xff\xd9"
    (tmp_path / "3.jpg").write_bytes(cut)
    with pytest.raises(UserError, match=r"3\.jpg: it is truncated"):
        read_image(tmp_path / "3.jpg")


@pytest.mark.parametrize("seed", range(20))
def test_whole_jpegs_are_decoded_as_opencv_does(tmp_path, seed):
    rng = np.random.default_rng(seed)
    image = picture(*rng.integers(1, 90, 2).tolist())
    options = [cv2.IMWRITE_JPEG_QUALITY, int(rng.integers(1, 101))]
    options += [cv2.IMWRITE_JPEG_PROGRESSIVE, seed % 2, cv2.IMWRITE_JPEG_OPTIMIZE, seed // 2 % 2]
    options += [cv2.IMWRITE_JPEG_RST_INTERVAL, int(rng.choice([0, 0, 1, 5]))]
    data = encoded(image if seed % 5 else image[..., 0], ".jpg", options)
    (tmp_path / "0.jpg").write_bytes(data + b"trailer")
    expected = cv2.imdecode(np.frombuffer(data, np.uint8), cv2.IMREAD_COLOR)
    np.testing.assert_array_equal(read_image(tmp_path / "0.jpg"), expected[..., ::-1])


def exif(orientation):
    entry = b"\x01\x12\x00\x03\x00\x00\x00\x01" + bytes([0, orientation, 0, 0])
    return b"MM\x00\x2a\x00\x00\x00\x08\x00\x01" + entry + bytes(4)


def with_exif(data, orientation, alpha):
    """The file with EXIF data."""
    tiff = exif(orientation)
    if data.startswith(b"\xff\xd8"):
        body = b"Exif\0\0" + tiff
        return data[:2] + b"\xff\xe1" + (len(body) + 2).to_bytes(2, "big") + body + data[2:]
    if data.startswith(b"RIFF"):
        flags = bytes([0x18 if alpha else 0x08, 0, 0, 0])
        head = flags + (99).to_bytes(3, "little") + (59).to_bytes(3, "little")
        chunks = b"VP8X" + len(head).to_bytes(4, "little") + head + data[12:]
        chunks += b"EXIF" + len(tiff).to_bytes(4, "little") + tiff
        return b"RIFF" + (4 + len(chunks)).to_bytes(4, "little") + b"WEBP" + chunks
    chunk = b"eXIf" + tiff
    chunk = len(tiff).to_bytes(4, "big") + chunk + zlib.crc32(chunk).to_bytes(4, "big")
    return data[:-12] + chunk + data[-12:]


TURNED = {
    1: lambda image: image,
    2: np.fliplr,
    3: lambda image: np.rot90(image, 2),
    4: np.flipud,
    5: lambda image: image.swapaxes(0, 1),
    6: lambda image: np.rot90(image, -1),
    7: lambda image: np.rot90(image.swapaxes(0, 1), 2),
    8: np.rot90,
    9: lambda image: image,  # no orientation
}


@pytest.mark.parametrize("alpha", [False, True])
@pytest.mark.parametrize("suffix", [".png", ".jpg", ".webp"])
@pytest.mark.parametrize("orientation", TURNED)
def test_images_are_turned_as_their_exif_data_say(tmp_path, suffix, orientation, alpha):
    image = picture()
    if alpha and suffix != ".jpg":
        image = np.concatenate([image, np.full((60, 100, 1), 255, np.uint8)], axis=2)
        image[:30, :, 3] = 51
    options = [cv2.IMWRITE_WEBP_QUALITY, 101] if suffix == ".webp" else []
    path = tmp_path / f"0{suffix}"
    path.write_bytes(encoded(image, suffix, options))
    plain = read_image(path)
    path.write_bytes(with_exif(path.read_bytes(), orientation, image.shape[2] == 4))
    np.testing.assert_array_equal(read_image(path), TURNED[orientation](plain))
    assert image_size(path) == ((100, 60) if 5 <= orientation <= 8 else (60, 100))


@pytest.mark.parametrize("suffix", [".png", ".jpg", ".webp"])
def test_damaged_bytes_give_an_image_or_one_error(tmp_path, suffix):
    rng = np.random.default_rng(0)
    small = np.concatenate([picture(12, 20), picture(12, 20)[..., :1]], axis=2)
    data = with_exif(encoded(small[..., : 3 if suffix == ".jpg" else 4], suffix), 6, True)
    path = tmp_path / f"0{suffix}"
    for _ in range(300):
        broken = bytearray(data)
        for place in rng.integers(0, min(len(data), rng.choice([60, 10**6])), rng.integers(1, 6)):
            broken[place] = rng.choice([0, 1, 0xFF, 0xD8, 0xDA, rng.integers(256)])
        if suffix == ".png" and rng.random() < 0.8:
            broken = valid_checksums(broken)
        path.write_bytes(broken[: rng.choice([len(data), rng.integers(len(data))])])
        for read in (read_image, image_size):
            try:
                result = read(path)
            except UserError as error:
                assert "\n" not in str(error) and f"0{suffix}" in str(error)
            else:
                assert len(result) == 2 or (result.ndim == 3 and result.dtype == np.uint8)


def valid_checksums(data):
    """A PNG whose chunks agree with their checksums, so that OpenCV looks at them."""
    at = 8
    while at + 12 <= len(data):
        end = at + 12 + int.from_bytes(data[at : at + 4], "big")
        if end > len(data):
            break
        data[end - 4 : end] = zlib.crc32(data[at + 4 : end - 4]).to_bytes(4, "big")
        at = end
    return data
