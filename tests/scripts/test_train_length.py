"""scripts/train.py and compare.py: how long they train where the user does not say."""

import json
import re
import shutil

import numpy as np
import pytest
from script_checks import SIZE, assert_same_run, history, one_error, run_script

from keras_cvae.data.joints import read_joints, write_joints
from keras_cvae.training import begin, fit, length, study
from keras_cvae.training.budget import Costs
from keras_cvae.training.length import Rule

# In ten minutes, less the seconds until it is known.
FOUR_EPOCHS = Costs(epoch=100.0, validation=0.0, rollout=0.0, results=110.0)
measure = begin.measure


def config_of(run):
    return json.loads((run / "config.json").read_text())


def without(flags, name):
    at = flags.index(name)
    return [*flags[:at], *flags[at + 2 :]]


@pytest.fixture
def small_rule(monkeypatch):
    """A rule by which a test trains some steps."""
    monkeypatch.setattr(length, "RULES", (Rule(0, 2, 6), Rule(1200, 4, 600)))
    monkeypatch.setattr(length, "LEAST_EPOCHS", 1)


@pytest.fixture
def four_epochs(monkeypatch):
    """Measures, but gives costs with which four epochs fit into ten minutes."""

    def measured(*arguments):
        assert measure(*arguments).epoch > 0
        return FOUR_EPOCHS

    monkeypatch.setattr(begin, "measure", measured)
    monkeypatch.setattr(begin, "MARGIN", 1.0)


def test_a_measured_run_is_the_same(flags, run, tmp_path, monkeypatch):
    monkeypatch.setattr(begin, "MEASURED_FROM", 1)
    done = run_script("train", *flags, "--out", tmp_path / "run")
    assert done.code == 0, done.err
    assert re.search(
        r"\n12 steps of 2 clips in 4 epochs, about .* s \(ten steps measured\)", done.out
    )
    assert "12 steps of 2 clips in 4 epochs\n" in run.with_name("stdout").read_text()
    assert_same_run(tmp_path / "run", run)
    assert config_of(tmp_path / "run") == config_of(run)


def test_a_run_of_minutes_is_that_of_so_many_epochs(flags, run, tmp_path, four_epochs):
    again = tmp_path / "run"
    done = run_script("train", *without(flags, "--epochs"), "--minutes", 10, "--out", again)
    assert done.code == 0, done.err
    assert_same_run(again, run)
    assert config_of(again) == {**config_of(run), "minutes": 10.0}
    assert re.search(r"\n  schedule_epochs +as many as fit into the minutes\n", done.out)
    assert "12 steps of 2 clips in 4 epochs, about 8 min 30 s (ten steps measured)" in done.out


@pytest.mark.slow
def test_a_stopped_run_of_minutes_goes_on_without_measuring(
    flags, run, tmp_path, four_epochs, monkeypatch
):
    again = tmp_path / "run"
    with monkeypatch.context() as patch:

        class Stops(fit.EpochReport):
            def on_epoch_begin(self, epoch, logs=None):
                super().on_epoch_begin(epoch, logs)
                if epoch == 2:
                    raise KeyboardInterrupt

        patch.setattr(fit, "EpochReport", Stops)
        flags = [*without(flags, "--epochs"), "--minutes", 10]
        assert run_script("train", *flags, "--out", again).code == 130
    assert len(history(again)) == 2
    monkeypatch.setattr(begin, "measure", None)  # which a resumed run does not call
    done = run_script("train", "--resume", again)
    assert done.code == 0, done.err
    assert "going on after epoch 2 of 4" in done.out
    assert_same_run(again, run)
    refused = run_script("train", "--resume", again, "--minutes", 2)
    assert "only --epochs may be given with it, got --minutes" in one_error(refused)
    longer = run_script("train", "--resume", again, "--epochs", 5)
    assert longer.code == 0, longer.err
    assert (config_of(again)["epochs"], config_of(again)["schedule_epochs"]) == (5, 4)


def test_a_run_that_stopped_before_its_first_epoch_was_measured_once(
    flags, run, tmp_path, four_epochs, monkeypatch
):
    again = tmp_path / "run"
    with monkeypatch.context() as patch:
        patch.setattr(fit, "EpochReport", None)  # an error, when the folder is there
        with pytest.raises(TypeError):
            flags = [*without(flags, "--epochs"), "--minutes", 10]
            run_script("train", *flags, "--out", again)
    assert not (again / "last.keras").exists()
    monkeypatch.setattr(begin, "measure", None)
    assert run_script("train", "--resume", again).code == 0
    assert_same_run(again, run)


@pytest.mark.parametrize(
    ("given", "message"),
    [
        (["--minutes", 5], "--minutes 5 and --epochs 4 both say how long"),
        (["--minutes", 0], "--minutes must be a finite number above 0; got 0.0"),
        (["--minutes", "nan"], "--minutes must be a finite number"),
        (["--minutes", "inf"], "--minutes must be a finite number"),
    ],
)
def test_wrong_minutes_are_one_line(flags, tmp_path, given, message):
    flags = flags if given[1] == 5 else without(flags, "--epochs")
    line = one_error(run_script("train", *flags, *given, "--out", tmp_path / "run"))
    assert message in line
    assert not list(tmp_path.iterdir())


def test_a_run_on_a_folder_chooses_by_its_frames(data, tmp_path, small_rule):
    run = tmp_path / "run"
    done = run_script("train", "--data", data, "--clip-length", 3, "--out", run)
    assert done.code == 0, done.err
    config = config_of(run)
    assert (config["batch_size"], config["epochs"], config["schedule_epochs"]) == (2, 2, 2)
    assert config["frame_size"] == list(SIZE) and config["mirror"] is False
    assert config["minutes"] is None and config["validate_every"] == 2
    assert "20 training frames: batches of 2, 2 epochs\n" in done.out
    assert "\n6 steps of 2 clips in 2 epochs\n" in done.out
    again = run_script("train", "--resume", run)
    assert again.code == 0 and "training frames: batches" not in again.out
    assert config_of(run) == config


def test_mirrored_videos_are_trained_on_as_well(data, tmp_path, small_rule):
    folder = shutil.copytree(data, tmp_path / "dance")
    run, flags = tmp_path / "run", ["--data", folder, "--clip-length", 3, "--epochs", 1]
    done = run_script("train", *flags, "--partial", 0.5, "--mirror", "--out", run)
    assert done.code == 0, done.err
    assert config_of(run)["mirror"] is True
    assert "20 training frames (half of them mirrored) in 3 batches an epoch" in done.out
    assert set(json.loads((run / "data.json").read_text())["train"]) == {"train", "train_mirrored"}
    assert run_script("train", "--resume", run, "--epochs", 2).code == 0

    joints = read_joints(folder / "joints.npz")
    write_joints(folder / "joints.npz", joints._replace(joints=joints.joints + np.float32(1)))
    line = one_error(run_script("train", "--resume", run, "--epochs", 3))
    assert "poses of train_mirrored of train have other contents" in line
    train = joints.split == "train"
    cut = joints._replace(**{n: getattr(joints, n)[~train] for n in joints._fields[:4]})
    write_joints(folder / "joints.npz", cut)
    line = one_error(run_script("train", *flags, "--mirror", "--out", tmp_path / "other"))
    assert "joints.npz has 0 frames of the video train and the folder has 20" in line

    (folder / "joints.npz").unlink()  # clips are flipped instead
    done = run_script("train", *flags, "--mirror", "--out", tmp_path / "other")
    assert done.code == 0 and "20 training frames in 3 batches an epoch" in done.out


def test_help_says_where_defaults_come_from():
    text = " ".join(run_script("train", "--help").out.split())
    assert "default that of the folder's dataset.json, if it has one (32 64)" in text
    assert "--minutes M time of the command, instead of --epochs (none)" in text


def test_all_runs_of_a_study_have_the_numbers_of_the_folder(data, tmp_path, monkeypatch):
    monkeypatch.setattr(length, "RULES", (Rule(0, 2, 27),))
    monkeypatch.setattr(length, "LEAST_EPOCHS", 1)
    plans = []
    monkeypatch.setattr(study, "train_study", lambda out, plan: plans.append(plan) or ({}, []))
    flags = ["--data", data, "--clip-length", 3, "--out", tmp_path / "study"]
    done = run_script("compare", *flags)
    assert done.code == 0, done.err
    assert done.out.count("20 training frames: batches of 2, 9 epochs\n") == 1
    (plan,) = plans
    assert [strategy for strategy, *_ in plan] == ["none", "monotonic", "cyclical"]
    alike = {
        (c.batch_size, c.epochs, c.schedule_epochs, c.validate_every, c.kl_cycles, c.frame_size)
        for *_, c in plan
    }
    assert alike == {(2, 9, 9, 2, 2, SIZE)}
    refused = run_script("compare", "--minutes", 3)
    assert refused.code == 2 and "unrecognized arguments: --minutes" in refused.err
