import keras
import numpy as np
import pytest
from callback_checks import assert_same, state_of

from keras_cvae.callbacks import NaNGuard, TrainingState
from keras_cvae.callbacks.training_state import read_training_state


class BreakWeights(keras.callbacks.Callback):
    """Makes a weight NaN (or infinite) before a batch, or after one as its update would."""

    def __init__(self, epoch, before=None, after=None, value=float("nan")):
        super().__init__()
        self.at, self.before, self.after, self.value = epoch, before, after, value
        self.good, self.steps = None, 0

    def on_epoch_begin(self, epoch, logs=None):
        self.epoch = epoch
        if epoch == self.at:
            self.good = state_of(self.model)

    def on_train_batch_begin(self, batch, logs=None):
        self._break(batch == self.before)

    def on_train_batch_end(self, batch, logs=None):
        self.steps += 1
        self._break(batch == self.after)

    def _break(self, now):
        if now and self.epoch == self.at:
            kernel = self.model.trainable_variables[0]
            kernel.assign(keras.ops.full(kernel.shape, self.value))


def fit(model, clips, *callbacks, epochs=4):
    history = model.fit(clips, epochs=epochs, verbose=0, shuffle=False, callbacks=list(callbacks))
    return history.epoch


@pytest.mark.parametrize("value", [float("nan"), float("inf")])
@pytest.mark.parametrize("epoch", [0, 2])
def test_it_stops_at_once_and_restores_everything(model, clips, capsys, epoch, value):
    trouble, guard = BreakWeights(epoch, before=1, value=value), NaNGuard(check_every=1)
    fit(model, clips, trouble, guard)
    assert trouble.steps == 3 * epoch + 2  # the broken batch was the last
    assert_same(state_of(model), trouble.good)
    assert np.isfinite(np.concatenate([v.ravel() for v in state_of(model)])).all()
    assert f"batch 2 of epoch {epoch + 1}" in guard.message
    assert f"beginning of epoch {epoch + 1} is restored" in guard.message
    assert "lower learning rate" in guard.message
    assert guard.message in capsys.readouterr().out


def test_what_falls_between_two_looks_is_seen_at_the_end_of_the_epoch(model, clips):
    trouble, guard = BreakWeights(1, before=1), NaNGuard(check_every=100)
    assert fit(model, clips, trouble, guard) == [0, 1]
    assert trouble.steps == 6
    assert_same(state_of(model), trouble.good)
    assert "at the end of epoch 2" in guard.message


def test_an_epoch_whose_last_update_broke_the_weights_is_not_kept(model, clips, tmp_path):
    """The loss of that epoch is finite: it was computed before the update."""
    path = tmp_path / "last.keras"
    trouble, guard = BreakWeights(1, after=2), NaNGuard()
    fit(model, clips, trouble, guard, TrainingState(path, data=clips))
    assert trouble.steps == 6  # not one step more
    assert_same(state_of(model), trouble.good)
    assert "epoch 2" in guard.message
    saved = read_training_state(path)
    assert saved["epoch"] == 1 and len(saved["history"]) == 1
    assert_same(state_of(keras.saving.load_model(path)), trouble.good)


def test_training_can_go_on_from_what_is_restored(model, clips):
    guard = NaNGuard()
    fit(model, clips, BreakWeights(0, before=0), guard, epochs=1)
    assert guard.message
    fit(model, clips, guard, epochs=1)
    assert guard.message is None
    assert all(np.isfinite(v).all() for v in state_of(model))


def test_good_training_is_left_alone(make_model, clips):
    guarded, plain = make_model(), make_model()
    guard = NaNGuard(check_every=1)
    assert fit(guarded, clips, guard) == [0, 1, 2, 3]
    clips.epoch = 0
    fit(plain, clips)
    assert guard.message is None
    assert_same(state_of(guarded), state_of(plain))


def test_weights_that_were_broken_from_the_start(model, clips):
    kernel = model.trainable_variables[0]
    kernel.assign(kernel * float("nan"))
    guard = NaNGuard()
    fit(model, clips, guard)
    assert "nothing to restore" in guard.message


def test_the_advice_fits_the_model(make_model, clips):
    def advice(**options):
        guard = NaNGuard()
        fit(make_model(**options), clips, BreakWeights(0, before=0), guard, epochs=1)
        return guard.message

    loose = advice(output="none", stop_feedback_gradient=False, logvar_bound=None)
    bounded = advice()
    for tip in ("logvar_bound", "stop_feedback_gradient", "output='sigmoid'"):
        assert tip in loose
        assert tip not in bounded


def test_check_every_is_at_least_one():
    with pytest.raises(ValueError, match="check_every"):
        NaNGuard(check_every=0)
