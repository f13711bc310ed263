import keras
import numpy as np
import pytest
from callback_checks import assert_same, state_of
from checks import rounding

from keras_cvae.callbacks import RolloutVideo, ValidationPSNR
from keras_cvae.data import Clips, Video
from keras_cvae.errors import UserError


def psnr_by_hand(truth, prediction):
    """PSNR of each frame but the given one, written down again."""
    errors = truth[1 : len(prediction)].astype("float64") / 255 - prediction[1:]
    return np.array([10 * np.log10(1 / np.mean(error**2)) for error in errors])


def fit(model, clips, *callbacks, epochs=1):
    return model.fit(clips, epochs=epochs, verbose=0, callbacks=list(callbacks))


@pytest.mark.parametrize("temperature", [None, 0.0, 0.7])
def test_it_is_the_mean_over_the_predicted_frames(make_model, clips, val_videos, spy, temperature):
    model = make_model(temperature=1.0)
    validation = ValidationPSNR(val_videos, temperature=temperature)
    fit(model, clips, validation, spy)
    # Each video goes through alone, as their lengths differ, with the noise of seed 0.
    curves = [
        psnr_by_hand(frames, model.predict_video(frames[0], poses, temperature, seed=0))
        for frames, poses in val_videos
    ]
    assert [len(curve) for curve in curves] == [4, 7]
    assert spy.logs[0]["val_psnr"] == pytest.approx(
        np.concatenate(curves).mean(), rel=rounding(1e-6)
    )
    for got, expected in zip(validation.per_frame.values(), curves, strict=True):
        np.testing.assert_allclose(got, expected, rtol=rounding(1e-5))


def test_it_runs_every_so_many_epochs_and_after_the_last(model, clips, val_videos, spy):
    fit(model, clips, ValidationPSNR(val_videos, every=2), spy, epochs=5)
    assert [epoch for epoch, logs in spy.logs.items() if "val_psnr" in logs] == [1, 3, 4]


def test_only_the_last_epoch_sees_more_than_max_frames(model, clips, val_videos):
    validation = ValidationPSNR(val_videos, max_frames=2)
    lengths = []
    note = keras.callbacks.LambdaCallback(
        on_epoch_end=lambda epoch, logs: lengths.append([*map(len, validation.per_frame.values())])
    )
    fit(model, clips, validation, note, epochs=3)
    assert lengths == [[2, 2], [2, 2], [4, 7]]


def test_it_changes_nothing_of_the_model(model, clips, val_videos):
    states = []
    note = keras.callbacks.LambdaCallback(
        on_epoch_end=lambda epoch, logs: states.append([*state_of(model), model.rng.state.numpy()])
    )
    fit(model, clips, note, ValidationPSNR(val_videos, temperature=1.0), note)
    assert_same(*states)


def test_keras_callbacks_see_it(model, clips, val_videos, tmp_path):
    best = tmp_path / "best.keras"
    scores = iter([20.0, 22.0, 21.0, 19.0, 23.0])

    class Scripted(ValidationPSNR):
        """The real one, its value replaced by one that goes up and down."""

        def on_epoch_end(self, epoch, logs=None):
            super().on_epoch_end(epoch, logs)
            assert 0 < logs["val_psnr"] < 60
            logs["val_psnr"] = next(scores)
            states.append(state_of(self.model))

    states = []
    stop = keras.callbacks.EarlyStopping("val_psnr", mode="max", patience=2)
    checkpoint = keras.callbacks.ModelCheckpoint(
        str(best), monitor="val_psnr", mode="max", save_best_only=True
    )
    log = keras.callbacks.CSVLogger(tmp_path / "log.csv")
    history = fit(model, clips, Scripted(val_videos), checkpoint, stop, log, epochs=9)
    assert history.history["val_psnr"] == [20.0, 22.0, 21.0, 19.0]  # patience ended there
    header, *rows = (tmp_path / "log.csv").read_text().splitlines()
    column = header.split(",").index("val_psnr")
    assert [float(row.split(",")[column]) for row in rows] == [20.0, 22.0, 21.0, 19.0]
    assert_same(state_of(keras.saving.load_model(best)), states[1])


@pytest.mark.parametrize("form", ["pair", "videos", "clips"])
def test_data_may_come_in_any_form(model, clips, spy, val_videos, form):
    frames, poses = val_videos[1]
    data = {
        "pair": (frames, poses),
        "videos": [Video("dance", frames, poses)],
        "clips": Clips((frames, poses), clip_length=3, batch_size=1),
    }[form]
    validation = ValidationPSNR(data)
    fit(model, clips, validation, spy)
    (curve,) = validation.per_frame.values()
    assert len(curve) == 7  # the whole video, whatever the clips
    assert spy.logs[0]["val_psnr"] == pytest.approx(curve.mean())


@pytest.mark.parametrize("wrong", [{"every": 0}, {"max_frames": 0}])
def test_wrong_arguments_fail_when_it_is_made(val_videos, wrong):
    with pytest.raises(ValueError, match="at least 1"):
        ValidationPSNR(val_videos, **wrong)


def test_two_videos_of_one_name_both_count(model, clips, spy, val_videos):
    """Videos from elsewhere may be called alike; none may fall out of the mean."""
    videos = [Video("dance", *video) for video in val_videos]
    fit(model, clips, ValidationPSNR(videos), spy)
    same = spy.logs[0]["val_psnr"]
    curves = [psnr_by_hand(v.frames, model.predict_video(v.frames[0], v.poses)) for v in videos]
    assert same == pytest.approx(np.concatenate(curves).mean(), rel=rounding(1e-6))


def test_an_epoch_predicts_a_validation_frame_once(model, clips, val_videos, tmp_path):
    predicted = []
    pieces = model.predict_pieces

    def counted(first_frames, poses, *rest):
        for piece in pieces(first_frames, poses, *rest):
            predicted.append(piece.shape[0] * piece.shape[1])
            yield piece

    model.predict_pieces = counted
    validation = ValidationPSNR(val_videos, every=2)
    callbacks = [
        validation,
        RolloutVideo(validation, tmp_path / "kept", every=2),
        RolloutVideo(validation, tmp_path, every=1, name="newest.gif"),
    ]
    model.fit(clips, epochs=2, verbose=0, callbacks=callbacks)
    shown = len(val_videos[0][0]) - 1  # in the first epoch, which is not validated
    assert sum(predicted) == shown + sum(len(poses) - 1 for _, poses in val_videos)
    first = validation.first_rollout(model, 1)
    alone = model.predict_video(val_videos[0][0][0], val_videos[0][1], seed=0)
    np.testing.assert_allclose(first, alone, rtol=0, atol=rounding())
    np.testing.assert_array_equal(validation.first_rollout(model, 1, max_frames=2), first[:3])


def test_another_training_predicts_again(model, clips, val_videos):
    validation = ValidationPSNR(val_videos)
    model.fit(clips, epochs=1, verbose=0, callbacks=[validation])
    before = validation.first_rollout(model, 0)
    model.fit(clips, epochs=1, verbose=0, callbacks=[validation])
    assert np.abs(validation.first_rollout(model, 0) - before).max() > 0


def test_two_temperatures_are_an_error(val_videos, tmp_path):
    validation = ValidationPSNR(val_videos, temperature=0.5)
    with pytest.raises(UserError, match="temperature=1.0 was given with a ValidationPSNR"):
        RolloutVideo(validation, tmp_path, temperature=1.0)


def test_a_model_that_predicts_no_videos_is_an_error(val_videos):
    with pytest.raises(ValueError, match="`predict_pieces`; got a Sequential"):
        ValidationPSNR(val_videos).set_model(keras.Sequential([keras.layers.Dense(1)]))
