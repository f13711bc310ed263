"""Runs that are killed and go on end as if nothing had happened."""

import signal

import pytest
from checks import installed_backends
from script_checks import (
    ROOT,
    assert_same_run,
    finish,
    history,
    run_script,
    start,
    start_killed,
)

HARD = ["--ema", 0.9, "--accumulate", 2, "--optimizer", "adamw", "--kl-anneal", "cyclical"]
HARD += ["--kl-cycles", 1, "--temperature", 0.5, "--tfr-decay-step", 0.2, "--tfr-start-decay", 1]


def kill(moment, number, *arguments, backend=None):
    done = finish(start_killed(moment, number, *arguments, backend=backend))
    assert done.code == -signal.SIGKILL, (done.code, done.err[-2000:])


@pytest.mark.slow
def test_killed_in_the_first_epoch_and_while_saving(run, flags, tmp_path):
    """One run dies three times: before any state, within an epoch, half way through last.keras."""
    again = tmp_path / "run"
    kill("batch", 2, *flags, "--out", again)
    assert not (again / "last.keras").exists()
    kill("batch", 5, "--resume", again)  # in its second epoch
    assert len(history(again)) == 1
    kill("write last.keras", 1, "--resume", again)  # after the second
    assert len(history(again)) == 1
    done = run_script("train", "--resume", again)
    assert done.code == 0, done.err
    assert "going on after epoch 1 of 4" in done.out
    assert_same_run(again, run)


@pytest.mark.slow
def test_killed_with_all_that_carries_state(flags, tmp_path):
    """Averaged weights, accumulated gradients, a cosine, prior noise, a falling ratio."""
    whole, again = tmp_path / "whole", tmp_path / "again"
    assert run_script("train", *flags, *HARD, "--out", whole).code == 0
    kill("replaced last.keras", 3, *flags, *HARD, "--out", again)  # history.csv is one row behind
    assert len(history(again)) == 2
    assert run_script("train", "--resume", again).code == 0
    assert_same_run(again, whole)
    assert len({row["tfr"] for row in history(whole)}) > 2


@pytest.mark.slow
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
    ("write best.keras", 1),
    ("replace best.keras", 1),
    ("replaced best.keras", 1),  # best.keras is an epoch ahead of last.keras
    ("replace epoch-0002.gif", 1),
    ("write last.keras", 4),
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
