"""Fixtures of all tests. Tests run on torch unless KERAS_BACKEND says otherwise."""

import os

os.environ.setdefault("KERAS_BACKEND", "torch")  # before anything imports Keras

import keras
import numpy as np
import pytest


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
