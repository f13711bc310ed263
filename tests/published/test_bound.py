import numpy as np
import pytest
from checks import TINIEST

from keras_cvae import CVAE
from keras_cvae.published.bound import outside_unit


class Rollout:
    """Predicts frames of some values, a row of four each."""

    def __init__(self, *frames):
        self.frames = frames

    def stream_video(self, first_frames, poses, temperature):
        assert first_frames.shape == (1, 32, 64, 3) and temperature == 0.0
        assert poses.shape == (1, len(self.frames) + 1, 32, 64, 3)
        return iter(np.array(self.frames, "float32"))


def test_values_outside_are_counted():
    frames = [0.0, 1.0, 1.0005, -0.0005], [1.002, -0.002, np.nan, np.inf]
    assert outside_unit(Rollout(frames[0]), 1) == 0
    assert outside_unit(Rollout(frames[1]), 1) == 1
    assert outside_unit(Rollout(*frames), 2) == 0.5


def test_a_bound_keeps_everything_inside():
    assert outside_unit(CVAE("lab", **TINIEST, output="sigmoid"), 2) == 0
    model = CVAE("lab", **TINIEST, output="none")
    *_, bias = model.architecture.generator.weights
    bias.assign([-9.0, 0.5, 9.0])
    assert outside_unit(model, 2) > 0.6


def test_frames_are_at_least_one():
    with pytest.raises(ValueError, match="frames must be at least 1; got frames=0"):
        outside_unit(CVAE("lab", **TINIEST), 0)
