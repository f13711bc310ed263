import subprocess
import sys
import time

import numpy as np
import pytest

from keras_cvae.data.synthetic import (
    ball_centres,
    ball_radius,
    builtin_videos,
    iter_frames,
    render_video,
)
from keras_cvae.data.synthetic.splits import dance_key
from keras_cvae.progress import Progress


def psnr(frames, others):
    """Mean over the frames, as everywhere in this project."""
    error = (frames.astype(np.float32) - others.astype(np.float32)) / 255
    return float(-10 * np.log10((error**2).mean(axis=(1, 2, 3))).mean())


@pytest.fixture(scope="module")
def train():
    (video,) = builtin_videos("train")
    return video


@pytest.fixture(scope="module")
def val():
    (video,) = builtin_videos("val")
    return video


def test_the_default_set(train, val):
    assert train.frames.shape == train.poses.shape == (2400, 32, 64, 3)
    assert val.frames.shape == val.poses.shape == (630, 32, 64, 3)
    assert train.frames.dtype == train.poses.dtype == np.uint8
    assert (train.name, val.name) == ("train", "val")
    test = builtin_videos("test")
    assert [video.name for video in test] == [f"test_{k}" for k in range(5)]
    assert all(video.frames.shape == video.poses.shape == val.frames.shape for video in test)


def test_copying_does_not_solve_it(train, val):
    truth = val.frames[1:]
    assert psnr(truth, val.frames[:1]) < 24
    assert psnr(truth, train.frames.mean(axis=0, keepdims=True)) < 24
    assert 28 < psnr(truth, val.frames[:-1]) < 34


def test_the_scene_is_the_same_in_every_split_and_nothing_in_it_moves(train, val):
    scene = np.median(train.frames[::20], axis=0)
    # Shadows are nearly always somewhere on the floor.
    np.testing.assert_allclose(np.median(val.frames[::5], axis=0)[:22], scene[:22], atol=12)
    above = val.frames[:, :2, :8]
    assert (above == above[:1]).all()


def test_the_figure_is_where_the_skeleton_is(train):
    scene = np.median(train.frames[::20], axis=0)
    kernel = np.ones(5)
    for t in range(0, 2400, 100):
        changed = np.abs(train.frames[t] - scene).max(axis=-1) > 40
        drawn = train.poses[t].max(axis=-1) > 60
        assert (changed & drawn).sum() > 0.7 * drawn.sum()
        # All of it but the shadow, which lies lower on the right, is close by.
        near = np.apply_along_axis(np.convolve, 0, drawn.astype(float), kernel, "same")
        near = np.apply_along_axis(np.convolve, 1, near, kernel, "same") > 0
        assert (changed & ~near)[:26].sum() <= 0.1 * changed.sum()


def test_videos_are_different_dances(train, val):
    first, second = builtin_videos("test", frames=[120, 120])
    for one, other in ((train, val), (train, first), (val, first), (first, second)):
        assert psnr(one.frames[:120], other.frames[:120]) < 30
    for t in range(30, 630, 100):
        error = (train.poses.astype(np.float32) - val.poses[t]).reshape(2400, -1)
        assert (error**2).mean(axis=1).min() > 10  # no pose of val is in train


def test_the_seed_decides_everything(val):
    again = builtin_videos("val", frames=60)[0]
    np.testing.assert_array_equal(again.frames, val.frames[:60])
    np.testing.assert_array_equal(again.poses, val.poses[:60])
    np.random.seed(5)
    state = np.random.get_state()[1].copy()
    np.testing.assert_array_equal(builtin_videos("val", frames=5)[0].frames, val.frames[:5])
    np.testing.assert_array_equal(np.random.get_state()[1], state)
    other = builtin_videos("val", seed=1, frames=60)[0]
    assert psnr(other.frames, val.frames[:60]) < 30


def test_the_pose_tells_how_the_figure_looks(train, val):
    """The training frame with the most similar pose is far better than any copy without poses."""
    poses = train.poses.reshape(2400, -1).astype(np.float32)
    truth, best = val.frames[1::6], []
    for pose in val.poses[1::6]:
        error = poses - pose.reshape(-1)
        best.append(np.einsum("ij,ij->i", error, error).argmin())
    assert psnr(truth, train.frames[best]) > psnr(truth, val.frames[:1]) + 5
    assert psnr(truth, train.frames[best]) > 25


@pytest.mark.parametrize("size", [(64, 128), (48, 48), (64, 32), (33, 47), (16, 16)])
def test_other_sizes(size):
    video = render_video(5, 150, size)
    assert video.frames.shape == (150, *size, 3)
    drawn = video.poses.max(axis=-1) > 60
    assert not drawn[:, [0]].any() and not drawn[..., [0, -1]].any()  # inside the picture
    rows, columns = (np.flatnonzero(drawn[0].any(axis=axis)) for axis in (1, 0))
    tall, wide = np.ptp(rows) + 1, np.ptp(columns) + 1
    unit = min(size[0], size[1] / 1.2)
    assert 0.62 * unit < tall < 0.85 * unit
    assert 1.7 < tall / wide < 4


def test_a_larger_picture_shows_the_same_dance():
    small, large = render_video(1, 40, (32, 64)), render_video(1, 40, (64, 128))
    halved = large.frames.reshape(40, 32, 2, 64, 2, 3).mean(axis=(2, 4))
    assert psnr(small.frames, halved) > 32


def test_lengths_of_small_runs():
    assert [len(v.frames) for v in builtin_videos("test", frames=7)] == [7] * 5
    assert [len(v.frames) for v in builtin_videos("train", frames=[3, 4])] == [3, 4]
    assert builtin_videos("val", frame_size=None, frames=2)[0].frames.shape == (2, 32, 64, 3)


def test_progress_counts_over_the_whole_split(monkeypatch):
    made = []

    class Kept(Progress):
        def __init__(self, *arguments):
            super().__init__(*arguments)
            made.append(self)

    monkeypatch.setattr("keras_cvae.data.synthetic.dataset.Progress", Kept)
    builtin_videos("test", frames=6)
    assert [(each.done, each.total, each.label) for each in made] == [(30, 30, "drawing test")]


def test_it_is_fast():
    started = time.perf_counter()
    render_video(2, 300)
    assert 300 / (time.perf_counter() - started) > 60


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ({"split": "valid"}, "Unknown split 'valid'; expected one of train, val, test"),
        ({"frames": 0}, "positive integer for each video, got 0"),
        ({"frames": [5, 2.5]}, "got 2.5"),
        ({"frames": []}, "at least one video"),
        ({"frames": 2**18 + 1}, "at most 262144 frames, got 262145"),
        ({"frames": [1] * 1001}, "val has at most 1000 videos, got 1001"),
        ({"frame_size": (4100, 4100)}, "2 times as large, is 8200 x 8200 pixels.*MAX_PIXELS"),
        ({"frame_size": (8, 64)}, r"integers from 16, got \(8, 64\)"),
        ({"frame_size": (32, 64, 3)}, "frame_size must be"),
        ({"seed": -1}, "at least 0, got -1"),
    ],
)
def test_bad_arguments_are_named(arguments, message):
    with pytest.raises(ValueError, match=message):
        builtin_videos(**{"split": "val", **arguments})


def test_frames_can_be_had_one_by_one():
    video = render_video((4, 2), 3)
    for t, (frame, pose) in enumerate(iter_frames((4, 2), 3)):
        np.testing.assert_array_equal(frame, video.frames[t])
        np.testing.assert_array_equal(pose, video.poses[t])


@pytest.mark.parametrize("size", [(32, 64), (64, 32), (64, 128)], ids=str)
def test_the_ball_changes_its_disc_and_its_shadow_alone(size):
    frames = 300
    with_ball, without = (render_video((2, 7), frames, size, ball=ball) for ball in (True, False))
    np.testing.assert_array_equal(with_ball.poses, without.poses)
    centres = ball_centres((2, 7), frames, size)
    y, x = (np.arange(n) + 0.5 for n in size)
    away = np.hypot(x - centres[:, :1, None], y[:, None] - centres[:, 1:, None])
    pixel = 1.5  # a disc covers parts of the pixels around it
    changed = (with_ball.frames != without.frames).any(axis=-1)
    assert changed[away < ball_radius(size)].all()
    outside = changed & (away > ball_radius(size) + pixel)
    rows = np.flatnonzero(outside.any(axis=(0, 2)))
    assert rows.min() > 0.7 * size[0]  # the shadow is on the floor
    assert outside.mean() < 0.02
    darker = without.frames.astype(int) - with_ball.frames
    assert darker[outside].min() >= -1 and darker[outside].mean() > 2


def test_videos_of_a_split_have_balls_of_their_own(val):
    (short,), (longer,) = (builtin_videos("val", frames=n, ball=True) for n in (40, 90))
    np.testing.assert_array_equal(short.frames, longer.frames[:40])
    np.testing.assert_array_equal(longer.poses, val.poses[:90])
    first, second = (ball_centres(dance_key("test", index, 0), 90) for index in (0, 1))
    assert np.linalg.norm(first - second, axis=1).mean() > 5
    for video, centres in zip(
        builtin_videos("test", frames=[5, 5], ball=True), (first, second), strict=True
    ):
        for frame, (x, y) in zip(video.frames, centres, strict=False):
            red, green, blue = frame[int(y), int(x)].astype(int)
            assert min(red, blue) > green + 120  # magenta


def test_the_ball_is_not_drawn_unless_asked_for(val):
    video = builtin_videos("val", frames=30, ball=False)[0]
    np.testing.assert_array_equal(video.frames, val.frames[:30])
    frames = [frame for frame, _ in iter_frames(dance_key("val", 0, 0), 30)]
    np.testing.assert_array_equal(frames, val.frames[:30])


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ({"frames": 0}, "positive integer"),
        ({"choreography_seed": (1, -1)}, "at least 0"),
        ({"frame_size": (8, 64)}, "integers from 16"),
    ],
)
def test_bad_arguments_of_the_ball_are_named(arguments, message):
    with pytest.raises(ValueError, match=message):
        ball_centres(**{"choreography_seed": 1, "frames": 5, **arguments})


def test_the_radius_follows_the_size():
    assert ball_radius() == ball_radius(None) == pytest.approx(2.28)
    assert ball_radius((64, 128)) == pytest.approx(4.56)
    with pytest.raises(ValueError, match="integers from 16"):
        ball_radius((4, 4))


def test_keras_is_not_imported():
    code = "import sys, keras_cvae.data.synthetic; sys.exit('keras' in sys.modules)"
    assert subprocess.run([sys.executable, "-c", code]).returncode == 0


def test_memory_that_is_not_there_is_an_error_of_the_user(monkeypatch):
    def empty(*arguments):
        raise MemoryError

    monkeypatch.setattr("keras_cvae.data.synthetic.dataset.np.empty", empty)
    with pytest.raises(ValueError, match="GiB of memory.*fewer or smaller frames"):
        render_video(0, 3)
