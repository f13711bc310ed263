"""What the tests of scripts share: running them, in this process or another, and killing them."""

import contextlib
import csv
import functools
import importlib.util
import io
import os
import subprocess
import sys
import zipfile
from pathlib import Path
from typing import NamedTuple

import numpy as np
import pytest
from checks import ABSENT, NO_GPU, python_path

from keras_cvae.video.gif import _nearest

ROOT = Path(__file__).parents[2]
SIZE = (16, 16)


class Done(NamedTuple):
    code: int
    out: str
    err: str


def run_script(name, *arguments):
    """Runs `main` of a script in this process.

    Returns:
        `Done`, with the exit code and what was printed.
    """
    out, err = io.StringIO(), io.StringIO()
    with contextlib.redirect_stdout(out), contextlib.redirect_stderr(err):
        try:
            code = load_script(name).main([str(argument) for argument in arguments])
        except SystemExit as stop:
            code = stop.code
    return Done(code, out.getvalue(), err.getvalue())


def load_script(name):
    spec = importlib.util.spec_from_file_location(f"script_{name}", ROOT / "scripts" / f"{name}.py")
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


def start(command, backend=None, gpu=True, **options):
    """Starts Python with arguments in another process, to which `gpu=False` hides the GPU."""
    environment = {**os.environ, "TF_CPP_MIN_LOG_LEVEL": "3", "PYTHONPATH": python_path(ROOT)}
    if not gpu:
        environment |= NO_GPU
    if backend is not None:
        environment["KERAS_BACKEND"] = backend
    if environment.get("KERAS_BACKEND") == "torch":
        environment["PYTHONPATH"] = python_path(ABSENT, ROOT)
    return subprocess.Popen(
        [sys.executable, "-u", *map(str, command)],
        env=environment,
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        **options,
    )


def finish(process, timeout=300):
    out, err = process.communicate(timeout=timeout)
    return Done(process.returncode, out, err)


def one_error(done):
    """The one line of stderr of a script that ended with exit code 2."""
    assert done.code == 2, done
    assert "Traceback" not in done.err
    (line,) = done.err.strip().splitlines()
    return line


@contextlib.contextmanager
def no_pictures():
    """Figures and the GIFs of each epoch take a second each and are tested elsewhere.

    Figures by tests/plots and tests/evaluation/test_files.py, which also has the GIFs at the end of
    a run, the others by tests/callbacks/test_rollout_video.py.
    """

    def savefig(figure, path, **options):
        path.write_bytes(b"figure")

    def write_video(path, frames, **options):
        path.parent.mkdir(exist_ok=True)
        path.write_bytes(b"video")

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr("matplotlib.figure.Figure.savefig", savefig)
        patch.setattr("keras_cvae.callbacks.rollout_video.write_video", write_video)
        # The colours of a GIF are chosen by k-means, see tests/video: here all have the same.
        patch.setattr("keras_cvae.video.gif._palette", lambda frames: _COLOURS)
        patch.setattr("keras_cvae.video.gif._nearest", lambda palette: _nearest_colours())
        yield


_COLOURS = np.stack(np.meshgrid(*[np.arange(20, 256, 43)] * 3), axis=-1).reshape(-1, 3)
_COLOURS = _COLOURS.astype(np.uint8)


@functools.cache
def _nearest_colours():
    return _nearest(_COLOURS)


# --- runs --------------------------------------------------------------------------------------


def history(run):
    with open(run / "history.csv", newline="") as file:
        return list(csv.DictReader(file))


def states(path):
    """Every variable of a model file and its optimiser, by the name of its place in there."""
    import h5py

    found = {}

    def note(name, item):
        if isinstance(item, h5py.Dataset):
            found[name] = np.array(item)

    with zipfile.ZipFile(path) as archive:
        weights = io.BytesIO(archive.read("model.weights.h5"))
    with h5py.File(weights) as file:
        file.visititems(note)
    return found


def difference(left, right):
    """The largest absolute difference between the states of two model files."""
    left, right = states(left), states(right)
    assert left.keys() == right.keys() and len(left) > 20
    return max(
        float(np.abs(left[name].astype("float64") - right[name]).max(initial=0)) for name in left
    )


def assert_same_run(run, expected):
    """Two finished runs have the same history, weights, optimisers, random states, and scores."""
    assert (run / "history.csv").read_text() == (expected / "history.csv").read_text()
    for name in ("last.keras", "best.keras"):
        assert difference(run / name, expected / name) == 0, name
    for name in ("val_psnr_per_frame.csv", "test_psnr_per_frame.csv"):
        assert (run / name).read_text() == (expected / name).read_text()
    assert not [path.name for path in run.rglob(".*")], "left behind"


# --- processes that kill themselves --------------------------------------------------------------

# Runs train.py and sends itself SIGKILL at the n-th time that something happens: "batch" (a
# training step is done), "write NAME" (a part of NAME is being written), "replace NAME" (NAME is
# about to be moved into place), "replaced NAME" (it has just been). Without a moment it prints all
# that happened.
KILLER = """
import importlib.util, os, signal, sys, zipfile
from pathlib import Path

script, moment, number, *arguments = sys.argv[1:]
happened = []


def happens(what):
    happened.append(what)
    if what == moment and happened.count(what) == int(number):
        os.kill(os.getpid(), signal.SIGKILL)


import matplotlib.figure
import keras_cvae.callbacks.stop_on_interrupt as stop

matplotlib.figure.Figure.savefig = lambda figure, path, **options: path.write_bytes(b"figure")


class Counts(stop.StopOnInterrupt):
    def on_train_batch_end(self, batch, logs=None):
        super().on_train_batch_end(batch, logs)
        happens("batch")


stop.StopOnInterrupt = Counts
replace, writestr = os.replace, zipfile.ZipFile.writestr


def noisy_replace(source, target):
    name = Path(target).name
    ours = not name.startswith(".")
    ours and happens(f"replace {name}")
    replace(source, target)
    ours and happens(f"replaced {name}")


def noisy_writestr(archive, member, *rest, **options):
    writestr(archive, member, *rest, **options)
    for name in ("last", "best"):
        if f".{name}." in str(archive.filename) or str(archive.filename).endswith(f"{name}.keras"):
            happens(f"write {name}.keras")


os.replace, zipfile.ZipFile.writestr = noisy_replace, noisy_writestr
spec = importlib.util.spec_from_file_location("train", script)
train = importlib.util.module_from_spec(spec)
spec.loader.exec_module(train)
code = train.main(arguments)
if moment == "none":
    print("HAPPENED", "|".join(happened))
sys.exit(code)
"""


def start_killed(moment, number, *arguments, backend=None):
    """Starts train.py in a process that kills itself at the `number`-th time of a moment."""
    script = ROOT / "scripts" / "train.py"
    return start(["-c", KILLER, script, moment, number, *arguments], backend=backend)
