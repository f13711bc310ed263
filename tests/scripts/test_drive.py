import dataclasses

import keras
import numpy as np
import pytest
from bodies import dance
from checks import TINIEST, needs_av
from script_checks import one_error, run_script

from keras_cvae import CVAE, runs
from keras_cvae.data.synthetic import render_video
from keras_cvae.poses.dancer import make_dancer, write_dancer
from keras_cvae.training.resolve import resolve

SIZE = (32, 64)


@pytest.fixture(scope="module")
def run(tmp_path_factory):
    folder = tmp_path_factory.mktemp("drive") / "run"
    config = dataclasses.asdict(resolve({"epochs": 1, "frame_size": SIZE}))
    runs.create_run(folder, {**config, "environment": {"backend": "torch"}})
    keras.utils.set_random_seed(0)
    CVAE("multiscale", **{**TINIEST, "frame_size": SIZE}).save(folder / runs.BEST)
    frames = render_video(5, 40, SIZE).frames
    write_dancer(folder / runs.DANCER, make_dancer([frames], dance(40, SIZE), 24))
    np.savez(folder.parent / "other.npz", joints=dance(30, seed=6), frame_size=(96, 192))
    return folder


def test_it_drives_and_says_how_well_it_fits(run, tmp_path):
    out = tmp_path / "x.gif"
    options = ["--keypoints", run.parent / "other.npz", "--out", out, "--fps", 25]
    done = run_script("drive", run, *options)
    assert done.code == 0, done.err
    *_, poses, outside, limbs, written = done.out.splitlines()
    assert poses == "poses: 30 frames at 25 fps, normalised: limbs"
    assert "of 30 poses have a joint where training never saw it" in outside
    assert "% of the limbs" in limbs
    assert written == f"{out}: GIF, 30 frames at 25 fps" and out.stat().st_size > 1000


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ([], "give --video FILE, --keypoints FILE, or both"),
        (["--keypoints", "nowhere.json"], "nowhere.json"),
        pytest.param(["--video", "nowhere.mp4"], "nowhere.mp4", marks=needs_av),
        (["--keypoints", "OTHER", "--zoom", 0], "zoom"),
        (["--keypoints", "OTHER", "--start", 9], "no frame between 9 s"),
        (["--keypoints", "OTHER", "--person", "nobody"], "largest, left, right"),
    ],
    ids=str,
)
def test_what_cannot_work_is_one_line(run, tmp_path, options, message):
    given = [run.parent / "other.npz" if each == "OTHER" else each for each in options]
    error = one_error(run_script("drive", run, *given, "--out", tmp_path / "x.gif"))
    assert error.startswith("error: ") and message in error
    assert not list(tmp_path.iterdir())
