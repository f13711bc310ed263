import numpy as np
import pytest
from bodies import standing

from keras_cvae.errors import UserError
from keras_cvae.poses.window import SIZES, Window, choose_window


def box(left, top, right, bottom):
    return np.array([[[left, top], [right, bottom]]], float)


@pytest.mark.parametrize(
    ("points", "size"),
    [
        (box(240, 100, 560, 400), (64, 64)),
        (box(350, 50, 430, 430), (96, 64)),
        (box(100, 200, 900, 400), (64, 128)),
    ],
)
def test_the_shape_of_the_person_chooses_the_size(points, size):
    window, chosen = choose_window([points], 100, (720, 1280))
    assert chosen == size and size in SIZES
    assert window.width / window.height == pytest.approx(size[1] / size[0])
    inside = window.to_frame(points, size)
    assert (inside > 0).all() and (inside < (size[1], size[0])).all()
    assert window.left >= 0 and window.top >= 0
    assert window.left + window.width <= 1280 and window.top + window.height <= 720


def test_a_given_size_is_kept_and_a_window_larger_than_the_image_is_centred():
    window, chosen = choose_window([box(100, 10, 300, 190)], 150, (200, 400), (32, 96))
    assert chosen == (32, 96)
    assert window.height == pytest.approx(200) and window.width == pytest.approx(600)
    assert window.left == pytest.approx(-100)


def test_no_joint_inside_the_image_is_an_error():
    with pytest.raises(UserError, match="inside the image"):
        choose_window([box(-50, -50, -10, -10)], 40, (100, 100))


def test_crop_and_joints_agree():
    image = np.zeros((200, 300, 3), np.uint8)
    joints = standing(100, (150, 160))
    for x, y in joints.round().astype(int):
        image[y - 2 : y + 2, x - 2 : x + 2] = 255  # around the corner (x, y) of pixels
    window, size = choose_window([joints[None]], 100, image.shape[:2])
    frame = window.crop(image, size).astype(float).mean(axis=-1)
    inside = window.to_frame(joints.round(), size)
    for x, y in inside[[9, 10, 13, 14]]:  # joints with no other one nearby
        across, down = np.meshgrid(np.arange(size[1]) + 0.5, np.arange(size[0]) + 0.5)
        near = np.where(np.hypot(across - x, down - y) < 4, frame, 0)
        middle = (near * across).sum() / near.sum(), (near * down).sum() / near.sum()
        assert middle == pytest.approx((x, y), abs=0.2)


def test_a_crop_beyond_the_image_repeats_its_edge():
    image = np.full((10, 10, 3), 200, np.uint8)
    assert (Window(-5, -5, 20, 20).crop(image, (8, 8)) == 200).all()


def test_a_window_may_be_smaller_than_the_frame():
    assert Window(2, 2, 4, 4).crop(np.full((10, 10, 3), 7, np.uint8), (16, 16)).shape == (16, 16, 3)
