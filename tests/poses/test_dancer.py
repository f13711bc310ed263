import numpy as np
import pytest
from bodies import INDEX, dance

from keras_cvae.errors import UserError
from keras_cvae.poses.dancer import FRAMES, make_dancer, read_dancer, write_dancer


@pytest.fixture(scope="module")
def dancer():
    frames = np.random.default_rng(0).integers(0, 255, (240, 16, 32, 3), dtype=np.uint8)
    return make_dancer([frames], dance(240, (16, 32)), 24)


def test_it_keeps_frames_from_all_over_the_video(dancer):
    assert len(dancer.frames) == len(dancer.joints) == FRAMES
    assert dancer.joints[-1] == pytest.approx(dance(240, (16, 32))[-1], abs=1e-4)


def test_a_short_video_is_kept_as_a_whole():
    joints = dance(7)
    assert len(make_dancer([np.zeros((7, 4, 4, 3), np.uint8)], joints, 24).frames) == 7


def test_the_nearest_pose_is_found(dancer):
    assert dancer.nearest(dancer.joints[31] + 0.01) == 31
    unseen = dancer.joints[31].copy()
    unseen[[3, 7]] = np.nan
    assert dancer.nearest(unseen) == 31
    assert dancer.nearest(unseen * np.nan) == 0


def test_poses_outside_of_training_are_counted_and_named(dancer):
    poses = dancer.joints.copy()
    assert dancer.outside(poses).frames == 0
    poses[:5, INDEX["left_wrist"]] += 50
    poses[2:4, INDEX["nose"]] -= 50
    outside = dancer.outside(poses)
    assert outside.frames == 5 and outside.joints == {"left_wrist": 5, "nose": 2}


def test_joints_that_training_never_saw_are_outside_wherever_they_are():
    joints = dance(60, (16, 32))
    half = joints.copy()
    half[:, INDEX["left_ankle"]] = np.nan
    dancer = make_dancer([np.zeros((60, 16, 32, 3), np.uint8)], half, 24)
    assert dancer.outside(half).frames == 0
    assert dancer.outside(joints).joints == {"left_ankle": 60}


def test_what_is_seen_besides_widens_the_ranges():
    joints, frames = dance(60, (16, 32)), np.zeros((60, 16, 32, 3), np.uint8)
    beside = joints + [9, 0]
    assert make_dancer([frames], joints, 24).outside(beside).frames == 60
    both = make_dancer([frames], joints, 24, also_seen=beside)
    assert both.outside(beside).frames < 5 and len(both.joints) == 60


def test_it_fits_frames_of_another_size_and_the_same_shape(dancer):
    larger = dancer.resized((32, 64))
    assert larger.frames.shape[1:3] == (32, 64)
    assert larger.body.height == pytest.approx(2 * dancer.body.height)
    assert larger.nearest(2 * dancer.joints[31]) == 31
    assert larger.outside(2 * dancer.joints).frames == 0
    with pytest.raises(UserError, match="16 x 32 .* predicts 32 x 32"):
        dancer.resized((32, 32))


def test_it_is_read_as_it_was_written(dancer, tmp_path):
    write_dancer(tmp_path / "dancer.npz", dancer)
    for ours, theirs in zip(read_dancer(tmp_path / "dancer.npz"), dancer, strict=True):
        assert np.array_equal(ours, theirs, equal_nan=True)


@pytest.mark.parametrize(
    "change",
    [
        {"frames": np.zeros((3, 4, 4, 3))},
        {"joints": np.zeros((0, 19, 2), np.float32), "frames": np.zeros((0, 4, 4, 3), np.uint8)},
        {"lengths": np.zeros(3)},
        {"low": np.array([["x"] * 2] * 19)},
        {"height": np.array(np.nan)},
        {"fps": np.array(0.0)},
        {"fps": np.array(np.inf)},
        {"hips": np.array([object(), 1])},
        {"hips": np.array([np.nan, 1])},
    ],
)
def test_another_file_is_an_error(dancer, tmp_path, change):
    np.savez(tmp_path / "x.npz", allow_pickle=True, **{**dancer._asdict(), **change})
    with pytest.raises(UserError, match="x.npz"):
        read_dancer(tmp_path / "x.npz")
