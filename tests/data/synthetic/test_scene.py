import numpy as np
import pytest

from keras_cvae.data.synthetic.scene import Room


def test_the_room_is_always_the_same():
    np.testing.assert_array_equal(Room((32, 64), 32, 4).canvas, Room((32, 64), 32, 4).canvas)


def test_the_room_has_texture_and_smooth_areas():
    canvas = Room((64, 128), 64, 4).canvas.astype(float)
    blocks = canvas.reshape(16, 16, 32, 16, 3).std(axis=(1, 3)).mean(axis=-1)
    assert (blocks > 25).mean() > 0.1 and (blocks < 8).mean() > 0.1
    assert 90 < canvas.mean() < 200


@pytest.mark.parametrize("size", [(32, 64), (48, 48), (64, 32), (20, 100)])
def test_the_room_fills_pictures_of_any_shape(size):
    room = Room(size, min(size[0], size[1] / 1.2), 4)
    assert room.canvas.shape == (size[0] * 4, size[1] * 4, 3)
    assert (room.canvas.max(axis=2) > 20).all()
