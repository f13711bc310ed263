"""train.py under torchrun: a killed process ends all, and the run goes on as if it were one.

The two processes are on the CPU, also where there is a GPU, which is for one.
"""

import os
import signal
import time
from pathlib import Path

import keras
import numpy as np
import pytest
from script_checks import ROOT, finish, history, run_script, start

pytestmark = [
    pytest.mark.skipif(keras.backend.backend() != "torch", reason="torchrun is PyTorch's"),
    pytest.mark.skipif(not Path("/proc/self/environ").exists(), reason="finds a process by /proc"),
]
TORCHRUN = ["-m", "torch.distributed.run", "--standalone", "--nproc-per-node", 2]
TRAIN = [*TORCHRUN, ROOT / "scripts" / "train.py"]
WITHIN = 30.0  # seconds in which all processes end


def process_of_rank(rank, folder):
    """The number of the process of a rank that trains in a folder."""
    for place in Path("/proc").iterdir():
        if not place.name.isdigit():
            continue
        try:
            command = (place / "cmdline").read_bytes().split(b"\0")
            variables = (place / "environ").read_bytes().split(b"\0")
        except OSError:  # it ended, or is another user's
            continue
        if os.fsencode(folder) in command and f"RANK={rank}".encode() in variables:
            return int(place.name)
    raise AssertionError(f"no process of rank {rank}")


@pytest.fixture
def run_on_a_cpu(request, flags, tmp_path):
    """The finished run, trained on a CPU, where random numbers are others than on a GPU."""
    import torch

    if not torch.cuda.is_available():
        return request.getfixturevalue("run")
    folder = tmp_path / "alone"
    train = [ROOT / "scripts" / "train.py", *flags, "--out", folder]
    assert finish(start(train, backend="torch", gpu=False)).code == 0
    return folder


def test_a_killed_process_ends_all_and_the_run_goes_on(run_on_a_cpu, flags, tmp_path):
    again = tmp_path / "run"
    process = start([*TRAIN, *flags, "--out", again], backend="torch", gpu=False)
    for line in process.stdout:
        if line.startswith("epoch 1/4"):
            break
    killed = process_of_rank(1, again)
    os.kill(killed, signal.SIGKILL)
    began = time.monotonic()
    done = finish(process)
    assert done.code != 0
    assert time.monotonic() - began < WITHIN
    assert f"process 0 of 2: error: process 1 of 2 (number {killed} on " in done.err
    assert "ended or was killed; the others stop too" in done.err
    assert not (again / "metrics.json").exists()

    done = finish(start([*TRAIN, "--resume", again], backend="torch", gpu=False))
    assert done.code == 0, done
    assert done.out.count("2 processes, each with an equal part of every batch") == 1
    assert done.out.count("finished 4 epochs") == 1
    for own, expected in zip(history(again), history(run_on_a_cpu), strict=True):
        assert own.keys() == expected.keys()
        for name, value in expected.items():
            if value:
                np.testing.assert_allclose(float(own[name]), float(value), rtol=1e-5, err_msg=name)
            else:
                assert own[name] == "", name
    assert not [path.name for path in again.rglob(".*")], "left behind"


def test_what_processes_cannot_do_is_one_line(flags, tmp_path, monkeypatch):
    monkeypatch.setenv("RANK", "0")
    monkeypatch.setenv("WORLD_SIZE", "2")
    done = run_script("train", *flags, "--distribute", "off", "--out", tmp_path / "x")
    assert done.code == 2
    assert done.err.startswith("error: --distribute off, and 2 processes were started: each")
    monkeypatch.setenv("RANK", "2")
    done = run_script("train", *flags, "--out", tmp_path / "x")
    assert done.code == 2
    assert done.err.startswith("error: RANK is '2' and WORLD_SIZE is '2'; expected 0 <= RANK")


def test_other_scripts_do_not_look_at_the_launcher(run, tmp_path, monkeypatch):
    """Some clusters set its variables in every process."""
    monkeypatch.setenv("RANK", "1")
    monkeypatch.setenv("WORLD_SIZE", "2")
    done = run_script("report", run, "--out", tmp_path / "report")
    assert done.code == 0, done
    assert "report.html" in done.out


def test_the_first_process_alone_reads_the_data_folder(tmp_path, monkeypatch):
    (tmp_path / "dataset.json").write_text("damaged")
    monkeypatch.setenv("WORLD_SIZE", "2")
    errors = []
    for rank in "01":
        monkeypatch.setenv("RANK", rank)
        arguments = ["--data", tmp_path, "--distribute", "off", "--out", tmp_path / "x"]
        done = run_script("train", *arguments)
        assert done.code == 2
        errors.append(done.err)
    assert "dataset.json" in errors[0]
    assert errors[1].startswith("error: --distribute off"), errors[1]
