"""Long runs: flat memory and descriptors, kills at random moments, a process that is held."""

import json
import os
import random
import signal
import subprocess
import time

import pytest
from checks import installed_backends
from script_checks import ROOT, SIZE, assert_same_run, finish, start

pytestmark = pytest.mark.slow
BACKENDS = [name for name in ("torch", "tensorflow") if name in installed_backends()]
EPOCHS, MEASURED = 2000, 20  # epochs; measurements of the process

# Trains tiny epochs with all that a run has, and prints its memory and descriptors.
EPOCHS_SCRIPT = """
import gc, os, sys
import numpy as np
import keras
from keras_cvae import CVAE, Clips
from keras_cvae import callbacks as cb

folder, epochs, measured = sys.argv[1], int(sys.argv[2]), int(sys.argv[3])
images = np.random.default_rng(0).integers(0, 256, (8, 8, 16, 3), dtype=np.uint8)
model = CVAE("multiscale", 8, 2, 4, 8, seed=0)
model.compile(keras.optimizers.Adam(1e-3, global_clipnorm=1.0))
clips = Clips((images, images), clip_length=3, batch_size=2)
validation = cb.ValidationPSNR((images, images))


class Measure(keras.callbacks.Callback):
    def on_epoch_end(self, epoch, logs=None):
        if (epoch + 1) % (epochs // measured):
            return
        gc.collect()
        with open("/proc/self/statm") as file:
            memory = int(file.read().split()[1]) * os.sysconf("SC_PAGE_SIZE") / 2**20
        print("MEASURED", epoch + 1, round(memory, 1), len(os.listdir("/proc/self/fd")), flush=True)


state = cb.TrainingState(f"{folder}/last.keras", data=clips)
model.fit(
    clips, epochs=epochs, shuffle=False, verbose=0,
    callbacks=[
        cb.KLAnnealing("cyclical", epochs=epochs), cb.TeacherForcing(0.5), cb.NaNGuard(),
        cb.StopOnInterrupt(), validation, state, Measure(),
    ],
)
"""


@pytest.mark.parametrize("backend", BACKENDS)
def test_memory_and_descriptors_stay_flat_over_many_epochs(tmp_path, backend):
    began = time.monotonic()
    arguments = ["-c", EPOCHS_SCRIPT, tmp_path, EPOCHS, MEASURED]
    done = finish(start(arguments, backend=backend), timeout=7200)
    assert done.code == 0, done.err[-2000:]
    rows = [line.split()[1:] for line in done.out.splitlines() if line.startswith("MEASURED")]
    memory = [float(row[1]) for row in rows]
    descriptors = [int(row[2]) for row in rows]
    print(
        f"{backend}: {EPOCHS} epochs in {time.monotonic() - began:.0f} s; after the first tenth "
        f"memory is {memory[1]:.0f} to {max(memory[1:]):.0f} MiB, at the end {memory[-1]:.0f}; "
        f"descriptors {min(descriptors[1:])} to {max(descriptors[1:])}"
    )
    assert len(rows) == MEASURED
    # After the first tenth, in which caches fill. TensorFlow grew by 75 MiB, for a reason that is
    # not known; PyTorch by 2.
    assert memory[-1] - memory[1] < (20 if backend == "torch" else 120), memory
    assert max(descriptors[1:]) - min(descriptors[1:]) <= 2, descriptors


def train(flags, run, backend):
    resume = ["--resume", run] if (run / "config.json").exists() else [*flags, "--out", run]
    return start([ROOT / "scripts" / "train.py", *resume], backend=backend)


@pytest.mark.parametrize(("backend", "kills"), [("torch", 50), ("tensorflow", 20)])
def test_a_run_that_is_killed_at_random_moments_is_the_same(tmp_path, data, backend, kills):
    if backend not in BACKENDS:
        pytest.skip(f"{backend} is not installed")
    flags = [
        *("--data", data, "--frame-size", *SIZE, "--clip-length", 3, "--batch-size", 2),
        *("--epochs", 16, "--validate-every", 4, "--tfr", 0.5, "--kl-anneal", "cyclical"),
        *("--kl-stop", 0.1, "--seed", 3, "--lr", 2e-3),
    ]
    expected, run = tmp_path / "expected", tmp_path / "run"
    began = time.monotonic()
    whole = finish(train(flags, expected, backend), timeout=1800)
    assert whole.code == 0, whole.err[-2000:]
    longest = time.monotonic() - began
    rng, killed, codes = random.Random(0), 0, []
    while True:
        process = train(flags, run, backend)
        # Of a whole run's length, so that all of it is hit: start, epochs, validation, end.
        delay = rng.uniform(0.2, 1.0) * longest if killed < kills else 3600
        try:
            done = finish(process, timeout=delay)
        except subprocess.TimeoutExpired:
            process.send_signal(signal.SIGKILL)
            process.communicate()
            killed += 1
            if (run / "metrics.json").exists():  # finished before it was killed: another one
                run.rename(tmp_path / f"finished{killed}")
            continue
        codes.append(done.code)
        assert done.code == 0, done.err[-2000:]
        if killed >= kills:
            break
        assert_same_run(run, expected)
        run.rename(tmp_path / f"done{len(codes)}")
    print(f"{backend}: {killed} kills, {len(codes)} finished runs, all the same")
    assert_same_run(run, expected)


def test_a_run_that_is_held_for_a_minute_goes_on(tmp_path, data):
    flags = [
        *("--data", data, "--frame-size", *SIZE, "--clip-length", 3, "--batch-size", 2),
        *("--epochs", 8, "--seed", 3),
    ]
    runs = tmp_path / "held", tmp_path / "expected"
    for run in runs:
        process = train(flags, run, "torch")
        for line in process.stdout:
            if line.startswith("epoch 3/") and run.name == "held":
                os.kill(process.pid, signal.SIGSTOP)
                time.sleep(60)
                os.kill(process.pid, signal.SIGCONT)
        assert finish(process).code == 0
    assert_same_run(*runs)
    assert json.loads((runs[0] / "metrics.json").read_text())["seconds"] > 60
