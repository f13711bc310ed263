import io

import cv2
import numpy as np
import pytest

from keras_cvae.data.decoding import read_image, read_images, resize_image


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


def test_many_images_keep_their_order_and_native_sizes(tmp_path):
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


def test_a_jpeg_is_turned_as_its_exif_data_say(tmp_path):
    tiff = io.BytesIO()
    tiff.write(b"MM\x00\x2a\x00\x00\x00\x08\x00\x01")  # one entry: orientation, short, 6
    tiff.write(b"\x01\x12\x00\x03\x00\x00\x00\x01\x00\x06\x00\x00\x00\x00\x00\x00")
    body = b"Exif\x00\x00" + tiff.getvalue()
    data = encoded(picture(), ".jpg")
    segment = b"\xff\xe1" + (len(body) + 2).to_bytes(2, "big") + body
    (tmp_path / "0.jpg").write_bytes(data[:2] + segment + data[2:])
    image = read_image(tmp_path / "0.jpg")
    assert image.shape == (100, 60, 3)
    assert np.abs(image.astype(int) - np.rot90(picture(), -1)).mean() <= 4
