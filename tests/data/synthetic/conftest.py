import numpy as np
import pytest

from keras_cvae.data.synthetic.body import pose_body
from keras_cvae.data.synthetic.choreography import SIDES, choreograph
from keras_cvae.data.synthetic.shapes import Projection


@pytest.fixture
def project():
    """A body height is 100 pixels, in a picture 160 high and 150 wide."""
    return Projection(100.0, (75.0, 140.0))


@pytest.fixture
def turned():
    """Makes a body at rest in the middle, facing one way in each frame."""

    def make(*yaws, height=0.0, arms=None):
        motion = choreograph(np.random.default_rng(0), len(yaws), 0.0)
        yaws = np.array(yaws, float)
        for name in motion.body:
            motion.body[name] = 0 * yaws
        motion.body["yaw"], motion.body["hip"] = yaws, height + 0 * yaws
        cos, sin = np.cos(np.radians(yaws)), np.sin(np.radians(yaws))
        for sign, side in zip((1, -1), SIDES, strict=True):
            motion.feet[side] |= {"x": 0.08 * sign * cos, "z": -0.08 * sign * sin, "yaw": yaws}
            motion.feet[side] |= {"lift": height + 0 * yaws, "point": 0 * yaws}
            if arms is not None:
                motion.arms[side][:] = arms
        return pose_body(motion)

    return make
