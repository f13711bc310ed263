"""Fixtures of all tests. Tests run on torch unless KERAS_BACKEND says otherwise."""

import os
import signal
from pathlib import Path

os.environ.setdefault("KERAS_BACKEND", "torch")  # before anything imports Keras
os.environ.setdefault("OMP_NUM_THREADS", "1")  # a test process is one of two
# For a GPU, and inherited by the processes that tests start. Numbers are compared to 1e-4 and
# better: NVIDIA's libraries and JAX must not round the inputs of a product to TF32. JAX takes most
# of the memory of a GPU when it starts, which other test processes need.
os.environ.setdefault("NVIDIA_TF32_OVERRIDE", "0")
os.environ.setdefault("JAX_DEFAULT_MATMUL_PRECISION", "highest")
os.environ.setdefault("XLA_PYTHON_CLIENT_PREALLOCATE", "false")

# A shell ignores Ctrl-C for what it starts in the background, and so would everything tested here.
if signal.getsignal(signal.SIGINT) is signal.SIG_IGN:
    signal.signal(signal.SIGINT, signal.default_int_handler)

import keras
import numpy as np
import pytest
from checks import repeat_on_a_gpu

repeat_on_a_gpu()

TESTS = Path(__file__).parent
# With several test processes the tests of a file run in one of them; so do those of these folders
# and files, which share what is expensive: the processes of the other backends, a trained run. They
# take the longest and come first. Of more processes than FEW each trains the run of the scripts, in
# seconds: one of them would be busy with these tests long after the others.
FEW = 4
SHARING = {
    "backends": (
        "tests/test_golden.py",
        "tests/backend/test_parity.py",
        "tests/backend/test_rematerialise.py",
        "tests/callbacks/test_callbacks.py",
        "tests/model/test_predict_video.py",
    ),
    "scripts": ("tests/scripts/",),
}


def group_of(nodeid):
    """The group of a test, by its place."""
    file = nodeid.partition("::")[0]
    return next((name for name, starts in SHARING.items() if file.startswith(starts)), file)


def pytest_collection_modifyitems(items):
    names = list(SHARING)
    items.sort(key=lambda item: [*names, group_of(item.nodeid)].index(group_of(item.nodeid)))


@pytest.hookimpl(optionalhook=True)  # of pytest-xdist
def pytest_xdist_make_scheduler(config, log):
    from xdist.scheduler import LoadScopeScheduling

    many = len(config.option.tx) > FEW

    class ByGroup(LoadScopeScheduling):
        def _split_scope(self, nodeid):
            group = group_of(nodeid)
            return nodeid.partition("::")[0] if many and group == "scripts" else group

    config.option.loadscopereorder = False  # by the number of tests, not by their time
    return ByGroup(config, log)


@pytest.fixture(autouse=True)
def _seeded():
    """Initial weights, and whatever else draws without a seed, are the same in every run."""
    keras.utils.set_random_seed(0)


@pytest.fixture
def batch():
    """Two clips of four 8 x 12 frames, uint8: `{"frames", "poses"}`."""
    rng = np.random.default_rng(0)
    shape = (2, 4, 8, 12, 3)
    return {key: rng.integers(0, 256, shape, dtype=np.uint8) for key in ("frames", "poses")}
