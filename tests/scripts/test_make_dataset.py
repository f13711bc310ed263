import os
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]


def make_dataset(*arguments):
    return subprocess.run(
        [sys.executable, ROOT / "scripts" / "make_dataset.py", *map(str, arguments)],
        capture_output=True,
        text=True,
        env=os.environ | {"PYTHONPATH": str(ROOT)},
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

    result = make_dataset(*options)
    assert result.returncode == 2
    assert "never overwritten" in result.stderr and len(result.stderr.splitlines()) == 1


@pytest.mark.parametrize(
    ("options", "message"),
    [
        (["--val-frames", 0], "frames must be a positive integer"),
        (["--train-frames", -3], "frames must be a positive integer"),
        (["--test-frames", 10**15], "A video has at most 262144 frames"),
        (["--test-sequences", 0], "--test-sequences must be from 1 to 1000"),
        (["--test-sequences", 10**12], "--test-sequences must be from 1 to 1000"),
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
