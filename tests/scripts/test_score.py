"""evaluate.py --submission and scripts/score.py, one after the other."""

import csv
import os
import subprocess
import sys

import numpy as np
import pytest
from checks import ABSENT, environment, installed_backends, python_path
from script_checks import ROOT, SIZE, one_error, run_script

from keras_cvae.data import load_videos
from keras_cvae.evaluation.submission import write_submission

SIZES = ("--frame-size", *SIZE)


def test_a_submission_is_written_and_scored(copy, data, tmp_path):
    path = tmp_path / "out.csv"
    done = run_script("evaluate", copy, "--submission", path)
    assert done.code == 0, done.err
    scored = run_script("score", path, data, *SIZES)
    assert scored.code == 0, scored.err
    assert "note: the protocol is of five sequences of over 600 frames" in scored.out
    assert "public" not in scored.out
    printed = float(scored.out.split("mean ")[1].split()[0])
    psnr = {}
    with open(copy / "evaluation" / "test_psnr_per_frame.csv", newline="") as file:
        for row in csv.DictReader(file):
            psnr.setdefault(row["video"], []).append(float(row["psnr"]))
    exact = np.mean([np.mean(values) for values in psnr.values()])  # sequences weigh the same
    assert printed == pytest.approx(exact, abs=0.01)  # but for rounding to whole pixel values
    again = run_script("evaluate", copy, "--out", tmp_path / "other", "--submission", path)
    assert "out.csv exists, and what exists is never overwritten" in one_error(again)


def test_what_cannot_be_scored_is_one_message(data, tmp_path):
    assert "no submission file at" in one_error(run_script("score", tmp_path / "none.csv", data))
    path = tmp_path / "other.csv"
    path.write_text("id,pixel_0\n0,1\n")
    assert "expected a header of id and" in one_error(run_script("score", path, data, *SIZES))
    os.mkfifo(tmp_path / "pipe")
    assert "no regular file" in one_error(run_script("score", tmp_path / "pipe", data, *SIZES))
    wide = run_script("score", path, data, "--frame-size", 10**12, 10**12)
    assert "more than the bound" in one_error(wide)


@pytest.mark.skipif("torch" not in installed_backends(), reason="torch is not installed")
def test_it_needs_no_word_about_the_backend(data, tmp_path):
    """TensorFlow, Keras' default, is absent."""
    path = tmp_path / "out.csv"
    videos = load_videos(data, "test", SIZE)
    write_submission(path, [video.frames for video in videos])
    variables = environment()
    variables["KERAS_HOME"] = str(tmp_path / "none")
    variables["PYTHONPATH"] = python_path(ABSENT, ROOT)
    done = subprocess.run(
        [sys.executable, ROOT / "scripts" / "score.py", path, data, *map(str, SIZES)],
        env=variables,
        capture_output=True,
        text=True,
    )
    assert done.returncode == 0, done.stderr
    assert "backend: torch (installed" in done.stdout and "100.000 dB" in done.stdout
