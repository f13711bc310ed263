"""Ctrl-C: a clean stop, and a run that goes on as if nothing had happened."""

import json
import os
import shlex
import signal

import pytest
from script_checks import ROOT, assert_same_run, finish, history, run_script, start

from keras_cvae.training import fit


@pytest.mark.parametrize(
    "asked",
    [
        signal.SIGTERM,
        pytest.param(signal.SIGINT, marks=pytest.mark.slow),
        pytest.param(signal.SIGHUP, marks=pytest.mark.slow),
    ],
)
def test_a_signal_in_another_process(run, flags, tmp_path, asked):
    again = tmp_path / "a run"  # with a space, so that the command must be quoted
    process = start([ROOT / "scripts" / "train.py", *flags, "--out", again], cwd=tmp_path)
    for line in process.stdout:
        if line.startswith("epoch 1/4"):
            break
    process.send_signal(asked)
    done = finish(process)
    assert done.code == 128 + asked
    assert "Traceback" not in done.err
    *_, hint, command = done.out.splitlines()
    assert "go on with" in hint
    assert shlex.split(command) == ["python", "scripts/train.py", "--resume", str(again)]
    assert not (again / "metrics.json").exists()
    assert run_script("train", "--resume", again).code == 0
    assert_same_run(again, run)


def press_ctrl_c(monkeypatch, epoch, batch):
    """Sends SIGINT in a step of one epoch of `train.py` in this process."""

    class Presses(fit.EpochReport):
        def on_train_batch_begin(self, at, logs=None):
            if (self._epoch, at) == (epoch, batch):
                os.kill(os.getpid(), signal.SIGINT)

    monkeypatch.setattr(fit, "EpochReport", Presses)


def test_ctrl_c_discards_the_unfinished_epoch(run, flags, tmp_path, monkeypatch):
    again, before = tmp_path / "run", signal.getsignal(signal.SIGINT)
    with monkeypatch.context() as patch:
        press_ctrl_c(patch, epoch=2, batch=1)
        done = run_script("train", *flags, "--out", again)
    assert done.code == 130
    assert signal.getsignal(signal.SIGINT) is before
    assert f"--resume {again}" in done.out
    assert [row["epoch"] for row in history(again)] == ["1", "2"]
    assert done.out.count("epoch ") >= 2 and "epoch 3/4" not in done.out
    assert run_script("train", "--resume", again).code == 0
    assert_same_run(again, run)


def test_ctrl_c_before_there_is_a_run_names_no_run(flags, tmp_path, monkeypatch):
    def pressed(*args, **kwargs):
        raise KeyboardInterrupt

    monkeypatch.setattr("keras_cvae.training.data.load_videos", pressed)
    done = run_script("train", *flags, "--out", tmp_path / "run")
    assert done.code == 130
    assert "--resume" not in done.out + done.err
    assert not list(tmp_path.iterdir())


def test_ctrl_c_during_the_evaluation_at_the_end(run, flags, tmp_path, monkeypatch):
    again = tmp_path / "run"

    def pressed(*args, **kwargs):
        raise KeyboardInterrupt

    with monkeypatch.context() as patch:
        patch.setattr("keras_cvae.training.results.evaluate_splits", pressed)
        done = run_script("train", *flags, "--out", again)
    assert done.code == 130 and f"--resume {again}" in done.out
    assert not (again / "metrics.json").exists()
    assert run_script("train", "--resume", again).code == 0
    assert_same_run(again, run)
    metrics = json.loads((again / "metrics.json").read_text())
    assert metrics["val_psnr"] == json.loads((run / "metrics.json").read_text())["val_psnr"]
