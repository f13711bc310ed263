import numpy as np
import pytest

from keras_cvae.data.skeleton import JOINTS
from keras_cvae.data.synthetic import body as anatomy
from keras_cvae.data.synthetic.body import joint_array, pose_body
from keras_cvae.data.synthetic.choreography import SIDES, choreograph

PIXELS = 24.0  # body height in a picture 32 pixels high


@pytest.fixture(scope="module")
def body():
    return pose_body(choreograph(np.random.default_rng(0), 2400, 0.75))


def test_bones_keep_their_lengths(body):
    for side in SIDES:
        for start, end, length in (
            ("hip", "knee", anatomy.THIGH),
            ("knee", "ankle", anatomy.SHIN),
            ("shoulder", "elbow", anatomy.UPPER_ARM),
            ("elbow", "wrist", anatomy.FOREARM),
        ):
            bone = body.joints[f"{side}_{start}"] - body.joints[f"{side}_{end}"]
            np.testing.assert_allclose(np.linalg.norm(bone, axis=1), length, atol=1e-6)


def test_feet_on_the_floor_do_not_slide(body):
    for side in SIDES:
        ankle = body.joints[f"{side}_ankle"]
        down = ankle[:, 1] < anatomy.ANKLE + 1e-4
        both = down[1:] & down[:-1]
        assert both.mean() > 0.4
        assert np.linalg.norm(np.diff(ankle, axis=0), axis=1)[both].max() * PIXELS < 0.02


def test_nothing_is_below_the_floor(body):
    assert joint_array(body.joints)[..., 1].min() > 0


def test_motion_is_moderate(body):
    speed = np.linalg.norm(np.diff(joint_array(body.joints)[..., :2], axis=0), axis=-1) * PIXELS
    assert 0.25 < speed.mean() < 0.8
    assert np.percentile(speed, 99) < 2.0
    assert speed.max() < 3.5


def test_knees_bend_forward(body):
    for side in SIDES:
        hip, knee, ankle = (body.joints[f"{side}_{name}"] for name in ("hip", "knee", "ankle"))
        bend = ((knee - (hip + ankle) / 2) * body.pelvis_axes[:, 2]).sum(axis=1)
        assert (bend > -0.02).mean() > 0.95


def test_axes_are_right_handed_and_orthonormal(body):
    for axes in (body.pelvis_axes, body.chest_axes, body.head_axes):
        unit = np.broadcast_to(np.eye(3), axes.shape)
        np.testing.assert_allclose(axes @ axes.transpose(0, 2, 1), unit, atol=1e-9)
        np.testing.assert_allclose(np.linalg.det(axes), 1, atol=1e-9)


def test_joints_come_in_the_order_of_the_pose_image(body):
    joints = joint_array(body.joints)
    assert joints.shape == (2400, len(JOINTS), 3)
    np.testing.assert_array_equal(joints[:, JOINTS.index("left_knee")], body.joints["left_knee"])
