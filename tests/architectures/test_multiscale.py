import numpy as np
import pytest
from checks import rounding, to_numpy

from keras_cvae import CVAE
from keras_cvae.architectures.multiscale import depth_to_space, space_to_depth

WIDTHS = {"frame_features": 6, "pose_features": 4, "latent_maps": 2, "decoder_features": 10}


@pytest.fixture
def model():
    return CVAE("multiscale", **WIDTHS, seed=0)


def test_blocks_of_pixels_there_and_back():
    x = np.arange(2 * 4 * 6 * 3, dtype="float32").reshape(2, 4, 6, 3)
    packed = to_numpy(space_to_depth(x))
    assert packed.shape == (2, 2, 3, 12)
    assert packed[0, 0, 0].tolist() == x[0, :2, :2].ravel().tolist()
    assert to_numpy(depth_to_space(packed)).tolist() == x.tolist()


def test_shapes(model):
    frames = np.zeros((2, 3, 16, 24, 3), np.uint8)
    rollout = model.rollout(frames, frames)
    assert tuple(rollout.pred.shape) == (2, 2, 16, 24, 3)
    assert tuple(rollout.mu.shape) == tuple(rollout.logvar.shape) == (2, 2, 2, 3, 2)
    assert model.latent_shape((16, 24)) == (2, 3, 2)


def test_teacher_forcing_and_free_roll_out_agree_on_the_first_prediction_alone(model):
    rng = np.random.default_rng(0)
    frames, poses = rng.integers(0, 256, (2, 1, 3, 16, 16, 3), dtype=np.uint8)
    eps = np.zeros((1, 2, 2, 2, 2), "float32")
    free = to_numpy(model.rollout(frames, poses, eps).pred)
    forced = to_numpy(model.rollout(frames, poses, eps, teacher_forcing=True).pred)
    assert free[:, 0] == pytest.approx(forced[:, 0], abs=rounding(1e-6))
    assert np.abs(free[:, 1] - forced[:, 1]).max() > 1e-6


def test_every_input_reaches_the_prediction(model):
    rng = np.random.default_rng(0)
    previous, pose, z = (rng.uniform(size=s).astype("float32") for s in ((1, 16, 16, 3),) * 3)
    z = rng.normal(size=(1, 2, 2, 2)).astype("float32")
    inputs = {"previous_frame": previous, "pose": pose, "z": z}
    predict = model.prediction.frame_predictor.predict_on_batch
    base = predict(inputs)
    for name, value in inputs.items():
        assert np.abs(predict({**inputs, name: value + 0.5}) - base).max() > 1e-6, name


@pytest.mark.parametrize("size", ((12, 16), (16, 20), (0, 8)))
def test_sides_are_multiples_of_eight(model, size):
    with pytest.raises(ValueError, match="multiples of 8"):
        model.architecture.check_frame_size(size)


def test_odd_sizes_are_refused_in_prediction_and_roll_out(model):
    frames = np.zeros((1, 2, 12, 12, 3), np.uint8)
    with pytest.raises(ValueError, match="multiples of 8"):
        model.rollout(frames, frames)
    with pytest.raises(ValueError, match="multiples of 8"):
        model.predict_video(frames[:, 0], frames)


def test_widths_are_positive():
    with pytest.raises(ValueError, match="latent_maps"):
        CVAE("multiscale", **{**WIDTHS, "latent_maps": 0})
