import numpy as np
import pytest
from checks import to_numpy

from keras_cvae.layers.clip_norm import ClipBatchNormalization


@pytest.fixture
def layer():
    layer = ClipBatchNormalization(momentum=0.9, epsilon=1e-5, axis=-1)
    layer.build((None, None, None, None, 3))
    return layer


def clips(frames):
    rng = np.random.default_rng(0)
    return (2 + 3 * rng.standard_normal((2, frames, 4, 5, 3))).astype("float32")


def test_training_normalises_over_clips_frames_and_pixels(layer):
    x = clips(3)
    y = to_numpy(layer(x, training=True))
    expected = (x - x.mean((0, 1, 2, 3))) / np.sqrt(x.var((0, 1, 2, 3)) + 1e-5)
    np.testing.assert_allclose(y, expected, atol=1e-5)


@pytest.mark.parametrize("frames", [1, 3, 15])
def test_the_moving_statistics_move_once_per_frame(layer, frames):
    x = clips(frames)
    layer.moving_mean.assign(np.full(3, -1.0))
    layer(x, training=True)
    kept = 0.9**frames
    mean, variance = x.mean((0, 1, 2, 3)), x.var((0, 1, 2, 3))
    np.testing.assert_allclose(
        to_numpy(layer.moving_mean), -kept + (1 - kept) * mean, rtol=1e-4, atol=1e-5
    )
    np.testing.assert_allclose(
        to_numpy(layer.moving_variance), kept + (1 - kept) * variance, rtol=1e-4
    )
    assert layer.momentum == 0.9


def test_inference_uses_the_moving_statistics_and_leaves_them(layer):
    layer.moving_mean.assign(np.full(3, 2.0))
    layer.moving_variance.assign(np.full(3, 9.0))
    x = clips(3)
    np.testing.assert_allclose(
        to_numpy(layer(x, training=False)), (x - 2) / np.sqrt(9 + 1e-5), atol=1e-5
    )
    assert (to_numpy(layer.moving_mean) == 2).all()
    assert (to_numpy(layer.moving_variance) == 9).all()
