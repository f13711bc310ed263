"""The package, and the callbacks together on every backend."""

import shutil
from pathlib import Path

import keras
import numpy as np
import pytest
from callback_checks import Spy, assert_same, make_model, random_video, state_of
from checks import call, installed_backends

import keras_cvae
from keras_cvae import callbacks
from keras_cvae.callbacks.training_state import read_training_state


def test_every_callback_has_its_name_in_the_package():
    assert len(callbacks.__all__) == 9
    for name in callbacks.__all__:
        assert issubclass(getattr(callbacks, name), keras.callbacks.Callback)
        assert name in dir(callbacks)
    assert keras_cvae.callbacks is callbacks
    with pytest.raises(AttributeError, match="KLAnealing"):
        callbacks.KLAnealing  # noqa: B018


class _BreakWeights(keras.callbacks.Callback):
    def on_epoch_begin(self, epoch, logs=None):
        self.good = state_of(self.model)

    def on_train_batch_begin(self, batch, logs=None):
        if batch == 1:
            kernel = self.model.trainable_variables[0]
            kernel.assign(kernel * float("nan"))


def train_with_callbacks(backend, folder, resumed="but on JAX"):
    """NaN in the very first epoch, then three epochs in one go and in two; asserts on the way."""
    folder = Path(folder, backend)
    folder.mkdir()
    clips = keras_cvae.Clips(random_video(18), clip_length=3, batch_size=2)
    model = make_model()

    def fit(model, *others, **options):
        options = {"shuffle": False, "verbose": 0, **options}
        schedules = callbacks.KLAnnealing("monotonic", 3), callbacks.TeacherForcing(0.5)
        model.fit(clips, callbacks=[*schedules, *others], **options)

    trouble, guard = _BreakWeights(), callbacks.NaNGuard(check_every=1)
    fit(model, trouble, guard, epochs=2)
    assert "batch 2 of epoch 1" in guard.message
    assert_same(state_of(model), trouble.good)

    def keep(history):
        if len(history) == 1:
            shutil.copy(folder / "whole.keras", folder / "parts.keras")

    spy, validation = Spy(), callbacks.ValidationPSNR(random_video(5), every=3, max_frames=2)
    state = callbacks.TrainingState(folder / "whole.keras", clips, on_saved=keep)
    fit(model, guard, validation, spy, state, epochs=3)
    betas = [0.0] * 3 + [0.5] * 3 + [1.0] * 3
    assert spy.batches == [(i // 3, beta, 0.5) for i, beta in enumerate(betas)]
    assert len(validation.per_frame["video 0"]) == 4
    assert np.isfinite(spy.logs[2]["val_psnr"])

    if backend != "jax" or resumed == "also on JAX":  # there it takes half a minute more
        assert_resumed_is_the_same(clips, fit, folder, model)


def assert_resumed_is_the_same(clips, fit, folder, model):
    restored = read_training_state(folder / "parts.keras")
    assert restored["epoch"] == 1
    resumed = keras_cvae.load_model(folder / "parts.keras")
    state = callbacks.TrainingState(folder / "parts.keras", clips, restored=restored)
    validation = callbacks.ValidationPSNR(random_video(5), every=3)
    fit(resumed, validation, state, epochs=3, initial_epoch=1)
    whole = read_training_state(folder / "whole.keras")["history"]
    assert read_training_state(folder / "parts.keras")["history"] == whole
    assert_same(state_of(resumed), state_of(model))


@pytest.mark.parametrize("backend", ["torch", pytest.param("tensorflow", marks=pytest.mark.slow)])
def test_they_work_together(tmp_path, backend):
    if backend not in installed_backends():
        pytest.skip(f"{backend} is not installed")
    call(train_with_callbacks, backend, tmp_path, backend=backend)


def resume_on_jax(folder):
    train_with_callbacks("jax", folder, resumed="also on JAX")


@pytest.mark.slow
@pytest.mark.skipif("jax" not in installed_backends(), reason="JAX is not installed")
def test_a_resumed_run_is_the_same_on_jax(tmp_path):
    call(resume_on_jax, tmp_path, backend="jax")
