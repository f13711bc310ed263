"""Runs that are killed or interrupted and go on: they end as if nothing had happened."""

import json
import os
import shutil
import signal

import keras
import pytest
from checks import installed_backends
from script_checks import (
    ROOT,
    assert_same_run,
    difference,
    finish,
    history,
    one_error,
    run_script,
    start,
    start_killed,
)

HARD = ["--ema", 0.9, "--accumulate", 2, "--optimizer", "adamw", "--kl-anneal", "cyclical"]
HARD += ["--kl-cycles", 2, "--temperature", 0.5, "--tfr-decay-step", 0.2, "--tfr-start-decay", 1]


def kill(moment, number, *arguments, backend=None):
    done = finish(start_killed(moment, number, *arguments, backend=backend))
    assert done.code == -signal.SIGKILL, (done.code, done.err[-2000:])


def test_killed_in_the_first_epoch_and_while_saving(run, flags, tmp_path):
    """One run dies three times: before any state, within an epoch, half way through last.keras."""
    again = tmp_path / "run"
    kill("batch", 2, *flags, "--out", again)
    assert not (again / "last.keras").exists()
    kill("batch", 5, "--resume", again)  # in its second epoch
    assert len(history(again)) == 1
    kill("write last.keras", 2 * 4 - 1, "--resume", again)  # four members each, in its second save
    assert len(history(again)) == 2
    done = run_script("train", "--resume", again)
    assert done.code == 0, done.err
    assert "going on after epoch 2 of 4" in done.out
    assert_same_run(again, run)


def test_killed_with_all_that_carries_state(flags, tmp_path):
    """Averaged weights, accumulated gradients, a cosine, prior noise, a falling ratio."""
    whole, again = tmp_path / "whole", tmp_path / "again"
    assert run_script("train", *flags, *HARD, "--out", whole).code == 0
    kill("replaced last.keras", 3, *flags, *HARD, "--out", again)  # history.csv is one row behind
    assert len(history(again)) == 2
    assert run_script("train", "--resume", again).code == 0
    assert_same_run(again, whole)
    assert len({row["tfr"] for row in history(whole)}) > 2


@pytest.mark.skipif("tensorflow" not in installed_backends(), reason="TensorFlow is not installed")
def test_killed_on_tensorflow(flags, tmp_path):
    whole, again = tmp_path / "whole", tmp_path / "again"
    train = ROOT / "scripts" / "train.py"
    process = start([train, *flags, "--out", whole], backend="tensorflow")
    kill("batch", 8, *flags, "--out", again, backend="tensorflow")  # in the third epoch
    resumed = finish(start([train, "--resume", again], backend="tensorflow"))
    assert resumed.code == 0, resumed.err[-2000:]
    assert finish(process).code == 0
    assert "going on after epoch 2 of 4" in resumed.out
    assert_same_run(again, whole)


MOMENTS = [
    ("batch", 1),
    ("batch", 3),
    ("write last.keras", 1),
    ("replace last.keras", 1),
    ("replaced last.keras", 1),
    ("replace history.csv", 1),
    ("replace curves.png", 1),
    ("batch", 4),
    ("write best.keras", 2),
    ("replace best.keras", 1),
    ("replaced best.keras", 1),  # best.keras is an epoch ahead of last.keras
    ("replace epoch-0002.gif", 1),
    ("write last.keras", 5),
    ("replace history.csv", 2),
    ("replaced best.keras", 2),
    ("replaced last.keras", 4),  # the last epoch: history.csv lacks a row
    ("replace val_psnr_per_frame.csv", 1),
    ("replace metrics.json", 1),
]


@pytest.mark.slow
@pytest.mark.parametrize(("moment", "number"), MOMENTS, ids=lambda value: str(value))
@pytest.mark.parametrize("backend", [b for b in installed_backends() if b != "jax"])
def test_killed_at_any_moment(flags, tmp_path, tmp_path_factory, backend, moment, number):
    whole = tmp_path_factory.getbasetemp() / f"whole-{backend}"
    train = ROOT / "scripts" / "train.py"
    flags = [*flags, "--ema", 0.9, "--temperature", 0.5]
    if not whole.exists():
        done = finish(start_killed("none", 0, *flags, "--out", whole, backend=backend))
        assert done.code == 0
        print(done.out.splitlines()[-1])
    again = tmp_path / "run"
    kill(moment, number, *flags, "--out", again, backend=backend)
    resumed = finish(start([train, "--resume", again], backend=backend))
    assert resumed.code == 0, resumed.err[-2000:]
    assert_same_run(again, whole)


def test_ctrl_c_in_another_process(run, flags, tmp_path):
    again = tmp_path / "a run"  # with a space, so that the command must be quoted
    process = start([ROOT / "scripts" / "train.py", *flags, "--out", again], cwd=tmp_path)
    for line in process.stdout:
        if line.startswith("epoch 1/4"):
            break
    process.send_signal(signal.SIGINT)
    done = finish(process)
    assert done.code == 130
    assert "Traceback" not in done.err
    *_, hint, command = done.out.splitlines()
    assert "go on with" in hint
    assert command.split(" ", 2)[:2] == ["", " python"] or command.strip().startswith("python ")
    assert command.strip().endswith(f"--resume '{again}'")
    assert not (again / "metrics.json").exists()
    assert run_script("train", "--resume", again).code == 0
    assert_same_run(again, run)


class _CtrlC:
    """Sends SIGINT in a step of one epoch of `train.py` in this process."""

    def __init__(self, monkeypatch, epoch, batch):
        from keras_cvae import training

        class Presses(training.EpochReport):
            def on_train_batch_begin(self, at, logs=None):
                if (self._epoch, at) == (epoch, batch):
                    os.kill(os.getpid(), signal.SIGINT)

        monkeypatch.setattr(training, "EpochReport", Presses)


def test_ctrl_c_discards_the_unfinished_epoch(run, flags, tmp_path, monkeypatch):
    again, before = tmp_path / "run", signal.getsignal(signal.SIGINT)
    with monkeypatch.context() as patch:
        _CtrlC(patch, epoch=2, batch=1)
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

    monkeypatch.setattr("keras_cvae.training.load_videos", pressed)
    done = run_script("train", *flags, "--out", tmp_path / "run")
    assert done.code == 130
    assert "--resume" not in done.out + done.err
    assert not list(tmp_path.iterdir())


def test_ctrl_c_during_the_evaluation_at_the_end(run, flags, tmp_path, monkeypatch):
    again = tmp_path / "run"

    def pressed(*args, **kwargs):
        raise KeyboardInterrupt

    with monkeypatch.context() as patch:
        patch.setattr("keras_cvae.training_results.evaluate_with_progress", pressed)
        done = run_script("train", *flags, "--out", again)
    assert done.code == 130 and f"--resume {again}" in done.out
    assert not (again / "metrics.json").exists()
    assert run_script("train", "--resume", again).code == 0
    assert_same_run(again, run)
    metrics = json.loads((again / "metrics.json").read_text())
    assert metrics["val_psnr"] == json.loads((run / "metrics.json").read_text())["val_psnr"]


@pytest.fixture
def copy(run, tmp_path):
    return shutil.copytree(run, tmp_path / "copy")


@pytest.mark.parametrize("lost", [None, "metrics.json", "history.csv"])
def test_resuming_a_finished_run_completes_its_results(run, copy, lost):
    if lost:
        (copy / lost).unlink()
    before = (copy / "last.keras").read_bytes()
    done = run_script("train", "--resume", copy)
    assert done.code == 0, done.err
    assert "epoch 4/4" not in done.out  # nothing is trained
    assert (copy / "last.keras").read_bytes() == before
    assert_same_run(copy, run)
    ours, theirs = (json.loads((r / "metrics.json").read_text()) for r in (copy, run))
    del ours["seconds"], theirs["seconds"]
    assert ours == theirs


def test_more_epochs_hold_the_schedules_last_values(run, copy):
    done = run_script("train", "--resume", copy, "--epochs", 6)
    assert done.code == 0, done.err
    rows = history(copy)
    assert rows[:4] == history(run)
    assert [row["epoch"] for row in rows] == ["1", "2", "3", "4", "5", "6"]
    for name in ("lr", "beta"):  # the cosine's end, and the ramp's
        assert rows[5][name] == rows[4][name] == rows[3][name]
    assert float(rows[5]["beta"]) == 1
    assert float(rows[5]["lr"]) == pytest.approx(0.01 * 2e-3, rel=1e-4)
    config = json.loads((copy / "config.json").read_text())
    assert (config["epochs"], config["schedule_epochs"]) == (6, 4)
    assert json.loads((copy / "metrics.json").read_text())["epochs"] == 6
    assert difference(copy / "last.keras", run / "last.keras") > 0


def test_more_epochs_after_averaged_weights_go_on_from_the_raw_ones(flags, tmp_path):
    """Six epochs in one go, with the schedules of four, are what four and two more are."""
    ema = [*flags, "--ema", 0.9]
    whole, parts = tmp_path / "whole", tmp_path / "parts"
    assert run_script("train", *ema, "--out", parts).code == 0
    shutil.copytree(parts, whole)
    for path in (whole / "last.keras", whole / "best.keras", whole / "metrics.json"):
        path.unlink()
    config = json.loads((whole / "config.json").read_text())
    (whole / "config.json").write_text(json.dumps({**config, "epochs": 6}))
    assert run_script("train", "--resume", whole).code == 0  # from its beginning
    assert run_script("train", "--resume", parts, "--epochs", 6).code == 0
    assert_same_run(parts, whole)


def test_fewer_epochs_than_are_done_are_refused(copy):
    before = (copy / "config.json").read_text()
    done = run_script("train", "--resume", copy, "--epochs", 2)
    assert "4" in one_error(done)
    assert (copy / "config.json").read_text() == before


@pytest.mark.parametrize(
    "flag",
    [
        ["--lr", 0.1],
        ["--data", "builtin"],
        ["--seed", 3],  # even with the stored value
        ["--out", "elsewhere"],
        ["--kl-anneal", "none"],
        ["--precision", "float32"],
        ["--epochs", 0],
    ],
)
def test_other_flags_are_refused_with_resume(copy, flag):
    before = {path: path.read_bytes() for path in copy.rglob("*") if path.is_file()}
    assert flag[0] in one_error(run_script("train", "--resume", copy, *flag))
    assert before == {path: path.read_bytes() for path in copy.rglob("*") if path.is_file()}


@pytest.mark.parametrize(
    "contents",
    [None, {}, {"notes.txt": "hello"}, {"config.json": "{"}, {"config.json": "[1]"}]
    + [{"config.json": '{"model_type": "bert"}'}, {"config.json": "{}"}],
    ids=str,
)
def test_resuming_what_is_no_run_is_one_line(tmp_path, contents):
    folder = tmp_path / "thing"
    if contents is not None:
        folder.mkdir()
        for name, text in contents.items():
            (folder / name).write_text(text)
    line = one_error(run_script("train", "--resume", folder))
    assert str(folder) in line
    if contents is None:
        assert not folder.exists()
    else:
        assert {path.name: path.read_text() for path in folder.iterdir()} == contents


def test_a_damaged_state_is_one_line(copy):
    path = copy / "last.keras"
    path.write_bytes(path.read_bytes()[:5000])
    config = (copy / "config.json").read_bytes()
    assert "last.keras" in one_error(run_script("train", "--resume", copy))
    assert (copy / "config.json").read_bytes() == config


@pytest.mark.skipif(len(installed_backends()) < 2, reason="one backend is installed")
def test_a_run_goes_on_with_its_own_backend(run, monkeypatch):
    """The command that Ctrl-C prints names no backend, so the run must know it."""
    stored = json.loads((run / "config.json").read_text())["environment"]["backend"]
    assert stored == keras.backend.backend()
