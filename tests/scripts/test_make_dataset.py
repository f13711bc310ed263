import os
import subprocess
import sys
from pathlib import Path

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


def test_a_bad_option_is_one_line(tmp_path):
    result = make_dataset("--out", tmp_path / "dance", "--val-frames", 0)
    assert result.returncode == 2
    assert result.stderr.startswith("error: frames must be a positive integer")
    assert len(result.stderr.splitlines()) == 1
    assert not (tmp_path / "dance").exists()
