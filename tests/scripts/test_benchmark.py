"""scripts/benchmark.py: the settings it refuses, the files it writes, one run of the loader."""

import csv
import importlib.util
import shutil

import pytest
from benchmarking.process import WorkerFailed, WorkerUserError
from script_checks import ROOT, finish, load_script, one_error, run_script, start

from keras_cvae.errors import UserError


@pytest.mark.parametrize(
    ("flags", "message"),
    [
        (["--quick", "--tasks", "rollout"], "--quick has its own cases; leave out --tasks"),
        (["--sizes", "--tasks", "loader"], "--sizes has its own cases; leave out --tasks"),
        (["--plot", "x.png"], "--plot draws what --sizes measures"),
        (["--sizes", "--plot", "x.pdf"], "a name that ends in .png"),
        (["--sizes", "--presets", "lab", "multiscale"], "--sizes measures one; got --presets lab"),
        (["--precisions", "float32", "tf32"], "--precisions tf32 is arithmetic of GPUs"),
        (["--repeats", 0], "--repeats must be at least 1; got 0"),
        (["--clip-length", 1], "--clip-length must be at least 2; got 1"),
        (["--frame-size", 2, 64], "--frame-size must be at least 4 4"),
        (["--quick", "--rollout-frames", 9], "leave out --rollout-frames"),
    ],
)
def test_settings_that_do_not_go_together(flags, message):
    assert message in one_error(run_script("benchmark", *flags))


def test_nothing_is_overwritten(tmp_path):
    path = tmp_path / "x.csv"
    path.write_text("mine")
    for flag in ("--csv", "--markdown"):
        assert f"Give another {flag}" in one_error(run_script("benchmark", "--quick", flag, path))
    assert path.read_text() == "mine"


def test_a_backend_that_is_absent(monkeypatch):
    script = load_script("benchmark")
    monkeypatch.setattr(importlib.util, "find_spec", lambda name: name == "jax" or None)
    with pytest.raises(UserError, match="torch is not installed. Install it with pip"):
        script.resolve(script.parse(["--backends", "torch"]))
    with pytest.raises(UserError, match="the plain loop|The plain loop"):
        script.resolve(script.parse(["--backends", "jax"]))
    with pytest.raises(UserError, match="None of the backends"):
        script.resolve(script.parse(["--quick"]))
    assert script.resolve(script.parse(["--sizes"]))["backends"] == ["jax"]


def test_outside_a_checkout(tmp_path):
    copy = shutil.copytree(ROOT / "scripts", tmp_path / "scripts") / "benchmark.py"
    message = one_error(finish(start([copy, "--quick"])))
    assert "is part of the checkout" in message and "reference_torch.py is missing" in message


def test_what_the_user_can_mend_is_one_line(monkeypatch):
    def fails(error):
        def run_benchmark(*arguments, **options):
            raise error

        monkeypatch.setattr("benchmarking.run.run_benchmark", run_benchmark)
        return run_script("benchmark", "--quick")

    assert one_error(fails(WorkerUserError("no such size"))) == "error: no such size"
    with pytest.raises(WorkerFailed, match="KeyError"):
        fails(WorkerFailed("KeyError: 'x'"))


def test_the_loader_measured(tmp_path):
    out, table = tmp_path / "x.csv", tmp_path / "x.md"
    flags = ["--tasks", "loader", "--presets", "multiscale", "--backends", "torch"]
    done = run_script("benchmark", *flags, "--repeats", 1, "--csv", out, "--markdown", table)
    assert done.code == 0, done
    assert "vector flags" in done.out and "tasks" in done.out  # the settings, on top
    assert f"wrote {out}" in done.out
    with open(out, newline="") as file:
        (row,) = csv.DictReader(file)
    assert (row["task"], row["implementation"], row["preset"]) == ("loader", "ours", "multiscale")
    assert float(row["frames_per_s"]) > 0 and row["ratio"] == ""
    assert "| loader | `multiscale` | torch | float32 |" in table.read_text()
