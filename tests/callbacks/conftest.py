import callback_checks
import pytest

from keras_cvae import Clips


@pytest.fixture
def spy():
    return callback_checks.Spy()


@pytest.fixture(name="make_model")
def _make_model():
    """Makes a compiled model, always with the same weights."""
    return callback_checks.make_model


@pytest.fixture
def model():
    return callback_checks.make_model()


@pytest.fixture
def clips():
    """Three batches of two clips of three frames."""
    return Clips(callback_checks.random_video(18), clip_length=3, batch_size=2)


@pytest.fixture
def val_videos():
    """Two videos of different lengths, as pairs of frames and poses."""
    return [callback_checks.random_video(5, seed=1), callback_checks.random_video(8, seed=2)]
