"""Fixtures of all tests. Tests run on torch unless KERAS_BACKEND says otherwise."""

import os
from pathlib import Path

os.environ.setdefault("KERAS_BACKEND", "torch")  # before anything imports Keras
os.environ.setdefault("OMP_NUM_THREADS", "1")  # a test process is one of two

import keras
import numpy as np
import pytest

# With several test processes the tests of a file run in one of them; so do those of these folders
# and files, which share what is expensive: a trained run, the processes of the other backends.
TESTS = Path(__file__).parent
SHARING = {
    "scripts": ["scripts/"],
    "backends": [
        "test_golden.py",
        "backend/test_parity.py",
        "backend/test_rematerialise.py",
        "callbacks/test_callbacks.py",
    ],
}


@pytest.hookimpl(tryfirst=True)  # before xdist reads the marks
def pytest_collection_modifyitems(items):
    for item in items:
        place = item.path.relative_to(TESTS).as_posix()
        groups = [name for name, starts in SHARING.items() if place.startswith(tuple(starts))]
        item.add_marker(pytest.mark.xdist_group((groups or [place])[0]))


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
