"""`--resume` of runs that are finished, longer than planned, or no runs at all."""

import json
import shutil

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
)


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


@pytest.mark.slow
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


@pytest.mark.skipif("jax" not in installed_backends(), reason="JAX is not installed")
def test_a_run_goes_on_with_its_own_backend(copy, monkeypatch):
    """The command that Ctrl-C prints names no backend, so the run must."""
    config = json.loads((copy / "config.json").read_text())
    config["environment"]["backend"] = "jax"
    config["epochs"] = 3  # which stops it before anything is trained
    (copy / "config.json").write_text(json.dumps(config))
    monkeypatch.delenv("KERAS_BACKEND")
    done = finish(start([ROOT / "scripts" / "train.py", "--resume", copy]))
    assert done.code == 2
    assert "backend: jax" in done.out
