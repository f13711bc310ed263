"""scripts/train.py: a wrong call is one line and leaves nothing behind."""

import re
import shutil

import pytest
from script_checks import one_error, run_script


def test_an_existing_folder_is_left_alone(flags, tmp_path):
    run = tmp_path / "run"
    run.mkdir()
    (run / "thesis.txt").write_text("years of work")
    line = one_error(run_script("train", *flags, "--out", run))
    assert str(run) in line and "never overwritten" in line
    assert [path.name for path in tmp_path.rglob("*")] == ["run", "thesis.txt"]


@pytest.mark.parametrize(
    ("wrong", "message"),
    [
        (["--data", "absent"], "absent"),
        (["--clip-length", 21], "clip"),
        (["--clip-length", 1], "clip_length"),
        (["--batch-size", 7], "batch"),
        (["--batch-size", 0], "batch_size"),
        (["--partial", 0], "partial"),
        (["--partial", 0.1], "clip"),
        (["--stride", 0], "stride"),
        (["--frame-size", 0, 16], "frame_size"),
        (["--frame-size", 15, 16], "multiples of 8"),
        (["--preset", "lab_small", "--frame-size", 2, 2], "2 x 2"),
        (
            ["--ssim-weight", 0.1, "--frame-size", 8, 16],
            "at least 11 x 11 pixels; got --frame-size 8",
        ),
        (["--temperature", -1], "temperature"),
        (["--logvar-bound", -1], "logvar"),
        (["--seed", -1], "[Ss]eed"),
        (["--epochs", 0], "--epochs"),
        (["--ema", 1.5], "--ema"),
        (["--tfr", 2], "probability"),
        (["--kl-anneal", "cyclical", "--kl-ratio", 0], "ratio"),
    ],
    ids=str,
)
def test_a_wrong_value_is_one_line_and_leaves_nothing(flags, tmp_path, monkeypatch, wrong, message):
    monkeypatch.chdir(tmp_path)
    line = one_error(run_script("train", *flags, *wrong, "--out", "runs/run"))
    assert re.search(message, line), line
    assert not list(tmp_path.iterdir())


@pytest.mark.parametrize("wrong", [["--optim", "adam"], ["--epochs", "many"], ["--preset", "huge"]])
def test_an_unknown_flag_or_choice_ends_with_code_2(tmp_path, monkeypatch, wrong):
    monkeypatch.chdir(tmp_path)
    done = run_script("train", *wrong)
    assert done.code == 2
    assert wrong[0] in done.err.splitlines()[-1]
    assert "Traceback" not in done.err and not list(tmp_path.iterdir())


def delete_label(folder):
    (folder / "train" / "train_label" / "7.png").unlink()
    return "7.png"


def truncate_image(folder):
    path = folder / "val" / "val_img" / "3.png"
    path.write_bytes(path.read_bytes()[:60])
    return "3.png"


def empty_split(folder):
    shutil.rmtree(folder / "val" / "val_img")
    (folder / "val" / "val_img").mkdir()
    return "val_img"


def damage_test_truth(folder):
    """Needed at the end of the run only, but hours later."""
    path = folder / "test" / "test_truth" / "0" / "2.png"
    path.write_bytes(b"no image")
    return "2.png"


@pytest.mark.parametrize("harm", [delete_label, truncate_image, empty_split, damage_test_truth])
def test_bad_data_is_one_line_and_leaves_nothing(data, flags, tmp_path, harm):
    folder = shutil.copytree(data, tmp_path / "data")
    named = harm(folder)
    run = tmp_path / "runs" / "run"
    assert named in one_error(run_script("train", *flags, "--data", folder, "--out", run))
    assert not run.parent.exists()
