import os
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
from bodies import dance
from checks import needs_av, python_path

from keras_cvae.data.dance_folder import read_split
from keras_cvae.data.joints import read_info, read_joints
from keras_cvae.data.synthetic import builtin_videos, render_video
from keras_cvae.video import write_video

ROOT = Path(__file__).parents[2]


def make_dataset(*arguments):
    return subprocess.run(
        [sys.executable, ROOT / "scripts" / "make_dataset.py", *map(str, arguments)],
        capture_output=True,
        text=True,
        env=os.environ | {"PYTHONPATH": python_path(ROOT)},
    )


def test_it_writes_a_folder_and_never_over_one(tmp_path):
    out = tmp_path / "dance"
    options = ["--out", out, "--frame-size", 16, 32, "--seed", 2, "--train-frames", 3]
    options += ["--val-frames", 2, "--test-frames", 2, "--test-sequences", 1]
    result = make_dataset(*options)
    assert result.returncode == 0, result.stderr
    settings, folder, *_ = result.stdout.splitlines()
    assert settings == (
        "Drawing 3 frames to train, 2 to validate, 1 x 2 to test; "
        "16 x 32 pixels (height x width), seed 2."
    )
    assert str(out) in folder
    assert len(list(out.rglob("*.png"))) == 2 * 3 + 2 * 2 + 1 + 2 * 2
    assert read_info(out) == {"frame_size": (16, 32), "fps": 24, "seed": 2}
    assert len(read_joints(out / "joints.npz").joints) == 3 + 2 + 2

    result = make_dataset(*options)
    assert result.returncode == 2
    assert "never overwritten" in result.stderr and len(result.stderr.splitlines()) == 1


def test_a_ball_bounces_in_the_folder(tmp_path):
    options = ["--frame-size", 16, 32, "--train-frames", 2, "--val-frames", 2]
    options += ["--test-frames", 2, "--test-sequences", 1, "--ball"]
    result = make_dataset("--out", tmp_path / "ball", *options)
    assert result.returncode == 0, result.stderr
    assert result.stdout.splitlines()[0].endswith("seed 0, with a ball.")
    assert read_info(tmp_path / "ball")["ball"] is True
    (video,) = read_split(tmp_path / "ball", "val", frame_size=(16, 32))
    (drawn,) = builtin_videos("val", (16, 32), frames=2, ball=True)
    np.testing.assert_array_equal(video.frames, drawn.frames)


@pytest.mark.parametrize(
    ("options", "message"),
    [
        (["--val-frames", 0], "frames must be a positive integer"),
        (["--train-frames", -3], "frames must be a positive integer"),
        (["--test-frames", 10**15], "A video has at most 262144 frames"),
        (["--test-sequences", 0], "--test-sequences must be from 1 to 1000"),
        (["--test-sequences", 10**12], "--test-sequences must be from 1 to 1000"),
        (["--frame-size", "auto"], "--frame-size auto goes with --video"),
        (["--frame-size", 16], "--frame-size must be HEIGHT WIDTH in pixels, or auto; got 16."),
        (["--person", "left", "--anyway"], "--person goes with --video FILE."),
        (["--video", "x.mp4", "--seed", 0], "--seed is of the built-in dancer"),
        (["--video", "x.mp4", "--ball"], "--ball is of the built-in dancer"),
        pytest.param(["--video", "x.mp4"], "Cannot read video x.mp4: No such file", marks=needs_av),
        (["--video", "x.mp4", "--person", 0], "The person must be largest, left, right, or a"),
        (["--frame-size", 10**6, 10**6], "The drawing of a frame of 1000000 x 1000000, 2 times"),
    ],
    ids=str,
)
def test_a_bad_option_is_one_line(tmp_path, options, message):
    result = make_dataset("--out", tmp_path / "dance", *options)
    assert result.returncode == 2
    assert result.stderr.startswith(f"error: {message}")
    assert len(result.stderr.splitlines()) == 1
    assert not (tmp_path / "dance").exists()


def test_own_videos_with_keypoints(tmp_path):
    write_video(tmp_path / "me", render_video(5, 60, (64, 128)).frames)
    np.save(tmp_path / "me.npy", dance(60, (64, 128)))
    out = tmp_path / "data"
    options = ["--video", tmp_path / "me", "--keypoints", tmp_path / "me.npy", "--out", out]
    result = make_dataset(*options, "--fps", 20, "--frame-size", "auto")
    assert result.returncode == 0, result.stderr
    assert result.stderr.startswith("warning: only 3 s of video can be used")
    video, counts, look, done = result.stdout.splitlines()
    assert video.startswith("me: the person was found in 100% of 60 frames; 60 of them are used")
    assert counts == "48 train, 6 val, 6 test frames of 64 x 64 pixels (height x width), 20 fps"
    assert str(out) in look and done == f"Done: {out}"
    result = make_dataset(*options)
    assert result.returncode == 2 and "never overwritten" in result.stderr
