"""evaluate.py --submission and scripts/score.py, one after the other."""

import csv

import numpy as np
import pytest
from script_checks import SIZE, one_error, run_script

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
