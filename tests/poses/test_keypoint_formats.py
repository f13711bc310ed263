import numpy as np
import pytest

from keras_cvae.data.skeleton import JOINTS
from keras_cvae.errors import UserError
from keras_cvae.poses.keypoint_formats import LAYOUTS, layout_of, to_joints

# As the tools' own documentation lists them.
COCO_18 = (
    "nose neck right_shoulder right_elbow right_wrist left_shoulder left_elbow left_wrist "
    "right_hip right_knee right_ankle left_hip left_knee left_ankle right_eye left_eye right_ear "
    "left_ear"
)
BODY_25 = (
    "nose neck right_shoulder right_elbow right_wrist left_shoulder left_elbow left_wrist mid_hip "
    "right_hip right_knee right_ankle left_hip left_knee left_ankle right_eye left_eye right_ear "
    "left_ear left_toe left_small_toe left_heel right_toe right_small_toe right_heel"
)
MEDIAPIPE = (
    "nose left_eye_inner left_eye left_eye_outer right_eye_inner right_eye right_eye_outer "
    "left_ear right_ear mouth_left mouth_right left_shoulder right_shoulder left_elbow "
    "right_elbow left_wrist right_wrist left_pinky right_pinky left_index right_index left_thumb "
    "right_thumb left_hip right_hip left_knee right_knee left_ankle right_ankle left_heel "
    "right_heel left_toe right_toe"
)
POINTS = {17: JOINTS[:17], 19: JOINTS}
POINTS |= {len(names.split()): names.split() for names in (COCO_18, BODY_25, MEDIAPIPE)}


def numbered(count):
    """Point k lies at (10 + k, 50 + k)."""
    return np.stack([np.arange(count) + 10.0, np.arange(count) + 50.0], axis=-1)


@pytest.mark.parametrize("count", POINTS)
def test_each_joint_is_the_point_of_its_name(count):
    joints, scores = to_joints(numbered(count), np.linspace(0.1, 0.9, count))
    assert joints.shape == (19, 2) and scores.shape == (19,)
    for joint, place, score in zip(JOINTS, joints, scores, strict=True):
        if joint in POINTS[count]:
            index = list(POINTS[count]).index(joint)
            np.testing.assert_array_equal(place, numbered(count)[index])
            assert score == np.linspace(0.1, 0.9, count)[index]
        else:
            assert joint.endswith("toe") and np.isnan(place).all() and score == 0


def test_all_layouts_are_checked_and_named():
    assert set(LAYOUTS) == set(POINTS) == {17, 18, 19, 25, 33}
    assert layout_of(25).name == "OpenPose BODY_25"


@pytest.mark.parametrize(
    "point",
    [(0, 0), (-1, -1), (np.nan, 5), (5, np.inf), (-np.inf, 1), (1e7, 1)],
)
def test_a_missing_point_is_nan_with_score_0(point):
    points = numbered(25)
    points[7] = point  # the left wrist
    for scores in (None, np.full(25, 0.5)):
        joints, sure = to_joints(points, scores)
        missing = np.isnan(joints).any(axis=1)
        assert [JOINTS[i] for i in np.flatnonzero(missing)] == ["left_wrist"]
        assert sure[missing] == 0 and set(sure[~missing]) == {1.0 if scores is None else 0.5}


@pytest.mark.parametrize("score, result", [(0, 0), (-0.5, 0), (np.nan, 0), (0.25, 0.25), (1.8, 1)])
def test_scores_lie_between_0_and_1(score, result):
    joints, sure = to_joints(numbered(17), np.full(17, score))
    assert set(sure[:17]) == {result}
    assert np.isnan(joints[:17]).all() == (result == 0)


def test_one_zero_or_minus_one_alone_is_a_place():
    points = numbered(17)
    points[:3] = (0, 5), (-1, 5), (0, -1)
    joints, _ = to_joints(points)
    np.testing.assert_array_equal(joints[:17], points)


def test_people_and_frames_in_front_are_kept_and_nothing_is_changed():
    points = np.stack([numbered(18), numbered(18) + 100])[None]
    points[0, 0, 3] = 0
    before = points.copy()
    joints, scores = to_joints(points)
    assert joints.shape == (1, 2, 19, 2) and scores.shape == (1, 2, 19)
    np.testing.assert_array_equal(joints[0, 1], to_joints(points[0, 1])[0])
    np.testing.assert_array_equal(points, before)


@pytest.mark.parametrize("count", [0, 1, 15, 26, 133])
def test_an_unknown_layout_lists_the_known_ones(count):
    with pytest.raises(UserError, match=rf"{count} points.*17 \(COCO-17\).*MediaPipe-33") as caught:
        to_joints(np.ones((count, 2)))
    assert "\n" not in str(caught.value)
