"""The package, and the callbacks together on every backend."""

import shutil

import keras
import numpy as np
import pytest
from callback_checks import Spy, assert_same, make_model, random_video, state_of
from checks import call, installed_backends

import keras_cvae
from keras_cvae import callbacks
from keras_cvae.callbacks.training_state import read_training_state


def test_every_callback_has_its_name_in_the_package():
    assert len(callbacks.__all__) == 8
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


def train_with_callbacks(folder):
    """NaN in the very first epoch, then three epochs in one go and in two; asserts on the way."""
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
            shutil.copy(f"{folder}/whole.keras", f"{folder}/parts.keras")

    spy, validation = Spy(), callbacks.ValidationPSNR(random_video(5), every=3, max_frames=2)
    state = callbacks.TrainingState(f"{folder}/whole.keras", clips, on_saved=keep)
    fit(model, guard, validation, spy, state, epochs=3)
    betas = [0.0] * 3 + [0.5] * 3 + [1.0] * 3
    assert spy.batches == [(i // 3, beta, 0.5) for i, beta in enumerate(betas)]
    assert len(validation.per_frame["video 0"]) == 4
    assert np.isfinite(spy.logs[2]["val_psnr"])

    restored = read_training_state(f"{folder}/parts.keras")
    assert restored["epoch"] == 1
    resumed = keras_cvae.load_model(f"{folder}/parts.keras")
    state = callbacks.TrainingState(f"{folder}/parts.keras", clips, restored=restored)
    validation = callbacks.ValidationPSNR(random_video(5), every=3)
    fit(resumed, validation, state, epochs=3, initial_epoch=1)
    whole = read_training_state(f"{folder}/whole.keras")["history"]
    assert read_training_state(f"{folder}/parts.keras")["history"] == whole
    assert_same(state_of(resumed), state_of(model))


@pytest.mark.parametrize("backend", installed_backends())
def test_they_work_together_on_every_backend(tmp_path, backend):
    if backend == keras.backend.backend():
        train_with_callbacks(tmp_path)
    else:
        call(train_with_callbacks, tmp_path, backend=backend)
