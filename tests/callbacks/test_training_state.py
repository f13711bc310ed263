import json
import math
import zipfile

import keras
import numpy as np
import pytest
from callback_checks import assert_same, state_of

import keras_cvae
from keras_cvae.callbacks import KLAnnealing, TeacherForcing, TrainingState
from keras_cvae.callbacks.training_state import read_training_state
from keras_cvae.errors import UserError


def schedules():
    """With a ratio between 0 and 1 the coin, and so the random state, matters."""
    return [KLAnnealing("monotonic", 4), TeacherForcing(0.5, start_decay_epoch=10)]


def fit(model, clips, *callbacks, epochs, initial_epoch=0):
    model.fit(
        clips,
        epochs=epochs,
        initial_epoch=initial_epoch,
        shuffle=False,
        verbose=0,
        callbacks=[*schedules(), *callbacks],
    )


def optimizer(**options):
    rate = keras.optimizers.schedules.CosineDecay(1e-2, 12)
    return keras.optimizers.AdamW(rate, global_clipnorm=1.0, **options)


@pytest.mark.parametrize("options", [{}, {"use_ema": True}, {"gradient_accumulation_steps": 2}])
def test_two_parts_are_the_whole(make_model, clips, tmp_path, options):
    def parts(name, *ends):
        path, begin, model = tmp_path / name, 0, make_model()
        model.compile(optimizer(**options))
        for end in ends:
            restored = None
            if begin:
                model, restored = keras_cvae.load_model(path), read_training_state(path)
                assert restored["epoch"] == begin
            clips.epoch = 99  # whatever it was, it is set
            state = TrainingState(path, data=clips, restored=restored)
            fit(model, clips, state, epochs=end, initial_epoch=begin)
            begin = end
        return read_training_state(path)["history"], state_of(keras_cvae.load_model(path))

    history, state = parts("whole.keras", 4)
    resumed_history, resumed_state = parts("parts.keras", 1, 3, 4)
    assert [row["epoch"] for row in history] == [1, 2, 3, 4]
    assert len({row["loss"] for row in history}) == 4
    assert resumed_history == history
    assert_same(resumed_state, state)


def test_the_file_is_a_model_with_the_history_in_it(model, clips, tmp_path):
    path, seen = tmp_path / "last.keras", []
    fit(
        model,
        clips,
        TrainingState(path, data=clips, on_saved=lambda h: seen.append(len(h))),
        epochs=2,
    )
    assert seen == [1, 2]
    with zipfile.ZipFile(path) as archive:
        assert archive.testzip() is None
        assert sorted(archive.namelist()) == [
            "config.json",
            "metadata.json",
            "model.weights.h5",
            "training_state.json",
        ]
    assert_same(state_of(keras.saving.load_model(path)), state_of(model))
    saved = read_training_state(path)
    assert saved["epoch"] == 2
    assert set(saved["history"][0]) == {"epoch", "loss", "mse", "kl", "beta", "tfr", "lr"}
    assert saved["history"][1]["lr"] == pytest.approx(1e-3)
    assert [path.name for path in tmp_path.iterdir()] == ["last.keras"]


def test_the_states_of_keras_callbacks_are_restored(model, clips, tmp_path):
    path = tmp_path / "last.keras"

    def callbacks():
        return [
            keras.callbacks.ModelCheckpoint(
                str(tmp_path / "best.keras"), monitor="mse", mode="max", save_best_only=True
            ),
            keras.callbacks.EarlyStopping("mse", mode="max", patience=5),
            keras.callbacks.ReduceLROnPlateau("mse", mode="max", patience=9, cooldown=3),
        ]

    class Falls(keras.callbacks.Callback):
        """A monitored value that was best in the first epoch."""

        def on_epoch_end(self, epoch, logs=None):
            logs["mse"] = 10.0 - epoch

    first = callbacks()
    fit(model, clips, Falls(), *first, TrainingState(path, clips, first), epochs=3)
    restored = read_training_state(path)
    again = callbacks()
    state = TrainingState(path, clips, again, restored=restored)
    written = (tmp_path / "best.keras").stat().st_mtime_ns
    fit(model, clips, Falls(), *again, state, epochs=4, initial_epoch=3)
    checkpoint, stopping, plateau = again
    assert checkpoint.best == 10.0
    assert (stopping.best, stopping.wait, stopping.best_epoch) == (10.0, 3, 0)
    assert (plateau.best, plateau.wait) == (10.0, 3)
    assert (tmp_path / "best.keras").stat().st_mtime_ns == written  # not overwritten by a worse one


def test_early_stopping_ends_where_it_would_have(make_model, clips, tmp_path):
    def stopped(*ends):
        path, begin, model = tmp_path / f"{len(ends)}.keras", 0, make_model()
        for end in ends:
            restored = read_training_state(path) if begin else None
            stopping = keras.callbacks.EarlyStopping("beta", mode="min", patience=3)
            state = TrainingState(path, clips, [stopping], restored)
            fit(model, clips, stopping, state, epochs=end, initial_epoch=begin)
            begin = end
        return [row["epoch"] for row in read_training_state(path)["history"]]

    assert stopped(9) == [1, 2, 3, 4]
    assert stopped(3, 9) == [1, 2, 3, 4]


@pytest.mark.parametrize("loss", [math.nan, math.inf])
def test_an_epoch_with_a_broken_loss_is_not_recorded(model, clips, tmp_path, loss):
    class Breaks(keras.callbacks.Callback):
        def on_epoch_end(self, epoch, logs=None):
            if epoch == 1:
                logs["loss"] = loss

    path = tmp_path / "last.keras"
    state = TrainingState(path, data=clips)
    fit(model, clips, Breaks(), state, epochs=2)
    assert [row["epoch"] for row in state.history] == [1]
    assert read_training_state(path)["epoch"] == 1


def test_a_failed_save_leaves_the_old_file(model, clips, tmp_path, monkeypatch):
    path = tmp_path / "last.keras"
    fit(model, clips, TrainingState(path, data=clips), epochs=1)
    before = path.read_bytes()

    def full(*args, **kwargs):
        raise OSError("no space left on device")

    monkeypatch.setattr(zipfile.ZipFile, "writestr", full)
    with pytest.raises(OSError, match="no space"):
        fit(model, clips, TrainingState(path, data=clips), epochs=1)
    assert path.read_bytes() == before
    assert [path.name for path in tmp_path.iterdir()] == ["last.keras"]


def test_reading_another_file_says_what_is_missing(model, tmp_path):
    plain, text = tmp_path / "plain.keras", tmp_path / "text.keras"
    model.save(plain)
    text.write_text("no archive")
    truncated = tmp_path / "truncated.keras"
    truncated.write_bytes(plain.read_bytes()[:1000])
    broken = tmp_path / "broken.keras"
    with zipfile.ZipFile(broken, "w") as archive:
        archive.writestr("training_state.json", "{")
    for path in (plain, text, truncated, broken, tmp_path / "absent.keras", tmp_path):
        with pytest.raises(UserError, match="training state|damaged or cut|no file") as caught:
            read_training_state(path)
        assert str(path) in str(caught.value)


STATE = {"epoch": 1, "history": [{"epoch": 1, "loss": 0.5}], "callbacks": {"0-X": {"best": 1.0}}}


@pytest.mark.parametrize(
    ("changed", "message"),
    [
        ([], "it is no object"),
        ({"epoch": "1"}, "its epoch is '1'"),
        ({"epoch": 0}, "its epoch is 0, and its history has 1 rows"),
        ({"epoch": True}, "its epoch is True"),
        ({"epoch": None}, "its epoch is None"),
        ({"history": None}, "its history is no list"),
        ({"history": [{"epoch": 1, "loss": "small"}]}, "its history is no list of rows of numbers"),
        ({"history": [3]}, "its history is no list of rows"),
        ({"callbacks": [1]}, "its callbacks are no objects"),
        ({"callbacks": {"0-X": 3}}, "its callbacks are no objects"),
        ({"callbacks": {"0-X": {"best": [1]}}}, "values that are none"),
    ],
    ids=str,
)
def test_a_state_edited_by_hand_is_one_clear_error(tmp_path, changed, message):
    state = {**STATE, **changed} if isinstance(changed, dict) else changed
    with zipfile.ZipFile(tmp_path / "last.keras", "w") as archive:
        archive.writestr("training_state.json", json.dumps(state))
    with pytest.raises(UserError, match=message):
        read_training_state(tmp_path / "last.keras")


def test_the_state_is_plain_json(model, clips, tmp_path):
    """Numbers survive the way into the file and back to the last bit."""
    path = tmp_path / "last.keras"
    state = TrainingState(path, data=clips)
    fit(model, clips, state, epochs=2)
    with zipfile.ZipFile(path) as archive:
        assert json.loads(archive.read("training_state.json"))["history"] == state.history
    assert all(type(v) in (int, float) for row in state.history for v in row.values())
    assert np.isfinite([row["loss"] for row in state.history]).all()


def test_a_callback_that_had_another_name_is_restored(clips, tmp_path):
    """As in files of versions in which a subclass was called otherwise."""
    stopping = keras.callbacks.EarlyStopping(monitor="loss")
    checkpoint = keras.callbacks.ModelCheckpoint(tmp_path / "best.keras")
    patience = {"best": 3.5, "best_epoch": 1, "wait": 2, "stopped_epoch": 0}
    saved = {"0-_BestCheckpoint": {"best": 21.5}, "1-_Patient": patience}
    restored = {"epoch": 1, "history": [], "callbacks": saved}
    both = [checkpoint, stopping]
    TrainingState(tmp_path / "x.keras", clips, callbacks=both, restored=restored).on_train_begin()
    assert checkpoint.best == 21.5
    assert (stopping.best, stopping.wait) == (3.5, 2)


def test_other_callbacks_than_the_saved_ones_are_an_error(clips, tmp_path):
    checkpoint = keras.callbacks.ModelCheckpoint(tmp_path / "best.keras")
    stopping = keras.callbacks.EarlyStopping(monitor="loss")
    restored = {"epoch": 1, "history": [], "callbacks": {"0-ModelCheckpoint": {"best": 21.5}}}
    for others in ([], [stopping, checkpoint]):
        state = TrainingState(tmp_path / "x.keras", clips, callbacks=others, restored=restored)
        with pytest.raises(ValueError, match="same callbacks in the same order"):
            state.on_train_begin()
