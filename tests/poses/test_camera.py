import cv2
import numpy as np
import pytest
from bodies import standing

from keras_cvae.poses.camera import CameraMotion

SIZE = (180, 320)


@pytest.fixture(scope="module")
def wall():
    rng = np.random.default_rng(0)
    small = rng.integers(0, 255, (60, 100, 3), dtype=np.uint8)
    return cv2.resize(small, (800, 480), interpolation=cv2.INTER_LINEAR)


def shot(wall, left, top, person=None):
    image = np.ascontiguousarray(wall[top : top + SIZE[0], left : left + SIZE[1]])
    if person is not None:
        for joint in person.astype(int):
            cv2.circle(image, joint.tolist(), 12, (255, 0, 0), -1)
    return image


def test_a_camera_that_stands_still(wall):
    camera = CameraMotion(SIZE)
    for step in range(20):
        person = standing(100, (100 + 5 * step, 170))
        camera.look(shot(wall, 50, 50, person), person)
    assert not camera.moves and camera.farthest < 0.01


@pytest.mark.parametrize("step", [1, 6])
def test_a_slow_and_a_fast_pan(wall, step):
    camera = CameraMotion(SIZE)
    for number in range(24):
        camera.look(shot(wall, 50 + step * number, 50), None)
    assert camera.moves
    assert camera.farthest == pytest.approx(23 * step / np.hypot(*SIZE), rel=0.1)


def test_a_hand_that_shakes(wall):
    camera = CameraMotion(SIZE)
    for number in range(20):
        camera.look(shot(wall, 50 + 8 * (number % 2), 50), None)
    assert camera.moves and camera.farthest < 0.05


def test_a_wall_without_corners_tells_nothing():
    camera = CameraMotion(SIZE)
    for _ in range(5):
        camera.look(np.full((*SIZE, 3), 90, np.uint8), None)
    assert not camera.moves
