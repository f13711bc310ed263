"""Short windows: where they are, and their metrics by hand and on a model."""

import json

import keras
import numpy as np
import pytest
from checks import TINIEST, make_clip
from hypothesis import given
from hypothesis import strategies as st

from keras_cvae import CVAE
from keras_cvae.data import Video
from keras_cvae.errors import UserError
from keras_cvae.evaluation.tables import windows_table
from keras_cvae.evaluation.windows import evaluate_windows, windows_of
from keras_cvae.metrics import frame_ssim


def video(name, length, size=(2, 2)):
    """Frame t has the value t everywhere."""
    frames = np.broadcast_to(
        np.arange(length, dtype=np.uint8)[:, None, None, None], (length, *size, 3)
    )
    return Video(name, frames, frames)


def names(videos, count, horizon):
    return [window.name for window in windows_of(videos, count, horizon)]


# --- where the windows are ----------------------------------------------------------------------


def test_windows_are_spread_from_the_first_to_the_last_frame():
    assert names([video("v", 100)], 3, 9) == ["v_0", "v_45", "v_90"]
    assert names([video("v", 100)], 10, 9) == [f"v_{t}" for t in range(0, 100, 10)]
    assert names([video("v", 30)], 1, 9) == ["v_10"]
    (window,) = windows_of([video("v", 30)], 1, 9)
    assert window.frames[:, 0, 0, 0].tolist() == window.poses[:, 0, 0, 0].tolist()
    assert window.frames[:, 0, 0, 0].tolist() == list(range(10, 20))


def test_videos_have_windows_by_their_length():
    videos = [video("a", 100), video("b", 9), video("c", 200)]
    assert names(videos, 3, 9) == ["a_45", "c_0", "c_190"]  # of b nothing is long enough
    alike = [video(str(n), 10) for n in range(9)]
    assert names(alike, 3, 9) == ["1_0", "4_0", "7_0"]  # the first, middle and last videos
    assert names([video(n, 50) for n in "ab"], 4, 9) == ["a_0", "a_40", "b_0", "b_40"]


def test_windows_overlap_only_if_they_must():
    assert names([video("v", 25)], 2, 9) == ["v_0", "v_15"]
    assert names([video("v", 25)], 3, 9) == ["v_0", "v_7", "v_15"]


def test_there_are_no_more_windows_than_starts():
    videos = [video("a", 4), video("b", 3)]
    assert names(videos, 99, 2) == ["a_0", "a_1", "b_0"]


def test_videos_without_truth_are_left_out():
    blind = video("blind", 30)
    blind = blind._replace(frames=blind.frames[:1])
    assert names([blind, video("v", 10)], 50, 9) == ["v_0"]
    with pytest.raises(UserError, match="true frames has 0 frames; a window of horizon=9 needs 10"):
        windows_of([blind], 50, 9)


@given(
    lengths=st.lists(st.integers(1, 60), min_size=1, max_size=5),
    count=st.integers(1, 40),
    horizon=st.integers(1, 12),
)
def test_any_windows_are_in_their_videos_and_disjoint_if_there_is_room(lengths, count, horizon):
    videos = [video(f"v{n}", length) for n, length in enumerate(lengths)]
    room = sum(length // (horizon + 1) for length in lengths)
    if not room:
        with pytest.raises(UserError, match="Give a smaller horizon, or longer videos"):
            windows_of(videos, count, horizon)
        return
    windows = windows_of(videos, count, horizon)
    starts = [tuple(map(int, w.name[1:].split("_"))) for w in windows]
    assert len(windows) == min(count, sum(max(0, length - horizon) for length in lengths))
    assert starts == sorted(set(starts))
    for (index, start), window in zip(starts, windows, strict=True):
        assert window.frames[:, 0, 0, 0].tolist() == list(range(start, start + horizon + 1))
        assert np.shares_memory(window.frames, videos[index].frames)
    seen = [(index, t) for index, start in starts for t in range(start, start + horizon + 1)]
    if count <= room:
        assert len(set(seen)) == len(seen)


@pytest.mark.parametrize(
    ("numbers", "message"),
    [
        ((0, 9), "count and horizon must be at least 1; got count=0, horizon=9"),
        ((5, 0), "got count=5, horizon=0"),
        ((5, 30), "The longest .* has 30 frames; a window of horizon=30 needs 31. Give a smaller"),
    ],
)
def test_windows_that_will_not_do(numbers, message):
    with pytest.raises(UserError, match=message):
        windows_of([video("v", 30)], *numbers)


# --- metrics by hand ----------------------------------------------------------------------------

ZERO = [30.0, 20.0]  # dB of the two predicted frames of a window
SAMPLES = [[40.0, 20.0], [32.0, 32.0], [20.0, 20.0]]
POSTERIOR = [36.0, 34.0]


class Known:
    """Predicts the truth, which the poses show, with an error that gives a known PSNR.

    In windows whose given frame is brighter than 150, each PSNR is 4 dB higher. The posterior of
    every frame is N(2, 1), at one place.
    """

    def __init__(self):
        self.batches, self.calls = [], []

    def predict_pieces(self, first, poses, temperature, seed, z=None):
        self.batches.append(len(first))
        if z is None:
            self.calls.append((temperature, seed))
        table = np.array(SAMPLES if temperature else [POSTERIOR if z is not None else ZERO])
        assert z is None or (z == 2).all()
        for t in range(1, poses.shape[1]):
            psnr = np.resize(table[:, t - 1], len(first)) + 4 * (first[:, 0, 0, 0] > 150)
            error = 10 ** (-psnr / 20)
            yield (poses[:, [t]] / 255 + error[:, None, None, None, None]).astype("float32")

    def infer_latents(self, frames, poses):
        shape = len(frames) - 1, 1, 1, 1
        return np.full(shape, 2.0, "float32"), np.zeros(shape, "float32")

    def compare_to_prior(self, frames, poses):
        return self.infer_latents(frames, poses)[0], np.full(len(frames) - 1, 2.0, "float32")


def grey(name, *values, size=(16, 24)):
    """A window for each value: three frames of about that grey, with some texture."""
    texture = np.random.default_rng(0).integers(-9, 10, (3 * len(values), *size, 3))
    frames = (np.repeat(values, 3)[:, None, None, None] + texture).astype(np.uint8)
    return Video(name, frames, frames)


def test_samples_are_at_temperature_1_and_windows_have_noise_of_their_own():
    videos = [grey("a", *range(60, 200, 20))]  # 7 windows, 3 + 3 + 1 with 20 samples each
    seeds = []
    for seed in (0, 0, 1):
        model = Known()
        evaluate_windows(model, "val", videos, 7, 2, 20, seed=seed)
        assert {temperature for temperature, _ in model.calls} == {0.0, 1.0}
        seeds.append([seed for temperature, seed in model.calls if temperature == 1.0])
    assert len(seeds[0]) == len(set(seeds[0])) == 3
    assert seeds[0] == seeds[1] and not set(seeds[0]) & set(seeds[2])


def test_metrics_and_curves_by_hand():
    videos = [grey("a", 100, 200)]
    mean = np.full((16, 24, 3), 0.5)
    metrics, curves = evaluate_windows(Known(), "val", videos, 2, 2, 3, training_mean=mean)
    about = {"count": 2, "horizon": 2, "samples": 3, "overlap": False}
    assert {name: metrics[name] for name in about} == about
    # Means of the window of grey 100; the other has 4 dB more, so the mean has 2 dB more, and half
    # the interval is 1.96 standard errors of two values 4 apart: 1.96 * 4 / 2.
    expected = {"psnr": 25, "mean_psnr": (30 + 32 + 20) / 3, "best_psnr": 32, "posterior_psnr": 35}
    for name, value in expected.items():
        assert metrics[name] == pytest.approx(value + 2, abs=1e-3), name
        assert metrics[f"{name}_ci"] == pytest.approx(1.96 * 2, abs=1e-3), name
    assert metrics["gap"] == pytest.approx(10, abs=1e-3)
    assert metrics["gap_ci"] == pytest.approx(0, abs=1e-3)  # each window has the same gap
    assert metrics["kl_nats"] == 2 and metrics["kl_nats_ci"] == 0  # of N(2, 1): 2 * 2 / 2

    by_frame = {
        "psnr": [32, 22],
        "mean_psnr": [(40 + 32 + 20) / 3 + 2, (20 + 32 + 20) / 3 + 2],
        "best_psnr": [34, 34],  # of the chosen sample; the best of frame 1 has 42
        "posterior_psnr": [38, 36],
        "gap": [6, 14],
        "kl_nats": [2, 2],
    }
    for name, curve in by_frame.items():
        np.testing.assert_allclose(curves[name], curve, atol=2e-3, err_msg=name)
    assert all(curve.shape == (2,) for curve in curves.values())
    frames = videos[0].frames / 255
    for name, source in {
        "first_frame": (frames[[0, 0]], frames[[3, 3]]),
        "previous_true_frame": (frames[[0, 1]], frames[[3, 4]]),
        "mean_frame": (mean[None], mean[None]),
    }.items():
        truths = frames[[1, 2]], frames[[4, 5]]
        mse = [np.square(t - s).mean((1, 2, 3)) for t, s in zip(truths, source, strict=True)]
        np.testing.assert_allclose(curves[name], (-10 * np.log10(mse)).mean(0))
        assert metrics[f"{name}_psnr"] == pytest.approx(curves[name].mean())
    # The samples of a window are constants apart: 3 pairs.
    errors = 10 ** (-(np.array(SAMPLES)[:, :, None] + [0, 4]) / 20)
    pairs = [abs(errors[i] - errors[j]) for i, j in ((0, 1), (0, 2), (1, 2))]
    diversity = 255 * np.mean(pairs, axis=(0, 2))
    np.testing.assert_allclose(curves["diversity"], diversity, rtol=1e-4)
    assert metrics["diversity"] == pytest.approx(diversity.mean(), rel=1e-4)
    assert json.loads(json.dumps(metrics, allow_nan=False)) == metrics


def test_the_best_sample_is_chosen_for_each_metric():
    one = grey("a", 100)
    metrics, curves = evaluate_windows(Known(), "val", [one], 1, 2, 3)
    errors = 10 ** (-np.array(SAMPLES) / 20)
    ssim = np.stack(
        [
            frame_ssim(one.frames[1:], (one.frames[1:] / 255 + e[:, None, None, None]))
            for e in errors
        ]
    )
    best = ssim.mean(axis=1).argmax()
    assert metrics["best_ssim"] == pytest.approx(ssim[best].mean(), abs=1e-4)
    np.testing.assert_allclose(curves["best_ssim"], ssim[best], atol=1e-4)
    assert metrics["mean_ssim"] == pytest.approx(ssim.mean(), abs=1e-4)
    assert metrics["psnr_ci"] is None and metrics["gap_ci"] is None  # a single window
    assert "mean_frame" not in curves and "ball_error" not in curves


def test_batches_are_bounded_and_change_nothing(monkeypatch):
    videos = [grey("a", 100, 200, 90, 180), grey("b", 160)]
    whole = evaluate_windows(Known(), "val", videos, 5, 2, 3)
    monkeypatch.setattr("keras_cvae.evaluation.windows.AT_ONCE", 6)
    monkeypatch.setattr("keras_cvae.evaluation.sampling.AT_ONCE", 6)
    model = Known()
    parts = evaluate_windows(model, "val", videos, 5, 2, 3)
    assert model.batches == [5, 5, 6, 6, 3]
    assert parts[0] == pytest.approx(whole[0])
    for name, curve in whole[1].items():
        np.testing.assert_allclose(parts[1][name], curve)


def test_overlapping_windows_are_said():
    metrics, _ = evaluate_windows(Known(), "val", [grey("a", 100, 200)], 3, 2, 3)
    assert metrics["count"] == 3 and metrics["overlap"] is True
    assert "over 3 windows, which overlap" in windows_table(metrics)


# --- the ball -----------------------------------------------------------------------------------


class Throws(Known):
    """A white pixel in a black frame: (3, 4) pixels off at temperature 0; of two samples one is
    (0, 1) off and the other shows none."""

    def predict_pieces(self, first, poses, temperature, seed, z=None):
        for t in range(1, poses.shape[1]):
            frame = poses[:, t].astype("float32") / 255
            if temperature:
                frame = np.roll(frame, 1, axis=1)
                frame[1::2] = 0
            else:
                frame = np.roll(frame, (4, 3), axis=(1, 2))
            yield frame[:, None]


def find_white(images):
    assert images.dtype == np.uint8 and images.ndim == 4
    found = np.full((len(images), 2), np.nan)
    for number, image in enumerate(images[..., 0]):
        if image.max() > 200:
            found[number] = np.unravel_index(image.argmax(), image.shape)[::-1]
    return found


def test_the_ball_where_it_is_found():
    frames = np.zeros((4, 16, 24, 3), np.uint8)
    frames[[0, 1, 3], 5, 5] = 255  # in frame 2 it is not there
    video = Video("v", frames, frames)
    metrics, curves = evaluate_windows(Throws(), "val", [video], 1, 3, 2, find=find_white)
    assert metrics["ball_error"] == 5 and metrics["ball_found"] == 1
    assert metrics["mean_ball_error"] == 1 and metrics["mean_ball_found"] == 0.5
    np.testing.assert_array_equal(curves["ball_error"], [5, np.nan, 5])
    np.testing.assert_array_equal(curves["ball_found"], [1, np.nan, 1])
    np.testing.assert_array_equal(curves["mean_ball_found"], [0.5, np.nan, 0.5])
    table = windows_table(metrics)
    assert "ball, temperature 0: error 5 pixels; found in 100.0% of the frames" in table
    assert "ball, 2 samples: error 1 pixels; found in 50.0% of the frames" in table


# --- a model, and what is not finite ------------------------------------------------------------


def test_windows_of_a_model():
    keras.utils.set_random_seed(0)
    model = CVAE("multiscale", **TINIEST, initialisation="pytorch", seed=0)
    clips = make_clip(2, 6, (16, 24))
    videos = [Video(str(i), clips["frames"][i], clips["poses"][i]) for i in range(2)]
    metrics, _ = evaluate_windows(model, "val", videos, 3, 3, 4, seed=1)
    assert metrics["best_psnr"] > metrics["mean_psnr"] and metrics["diversity"] > 0
    assert evaluate_windows(model, "val", videos, 3, 3, 4, seed=1)[0] == pytest.approx(metrics)
    other = evaluate_windows(model, "val", videos, 3, 3, 4, seed=2)[0]
    assert other["mean_psnr"] != metrics["mean_psnr"] and other["psnr"] == metrics["psnr"]
    (video,) = windows_of(videos, 3, 3)[:1]
    mu, logvar = model.infer_latents(video.frames, video.poses)
    kl = 0.5 * (mu**2 + np.exp(logvar) - logvar - 1).sum(axis=(1, 2, 3))
    alone, curves = evaluate_windows(model, "val", [video], 1, 3, 1)
    np.testing.assert_allclose(curves["kl_nats"], kl, rtol=1e-4)
    for weight in model.architecture.posterior_predictor[-1].blocks[-1].weights:
        weight.assign(np.zeros(weight.shape))
    metrics, _ = evaluate_windows(model, "val", [video], 1, 3, 1)
    assert metrics["kl_nats"] == 0 and metrics["gap"] == pytest.approx(0, abs=1e-4)


@pytest.mark.parametrize(
    ("numbers", "message"),
    [
        ({"samples": 0}, "samples must be at least 1; got samples=0"),
        ({"count": 0}, "count=0"),
        ({"horizon": 6}, "horizon=6 needs 7"),
        ({"seed": -1}, "seed must be an integer of at least 0"),
    ],
)
def test_values_that_will_not_do(numbers, message):
    model = CVAE("multiscale", **TINIEST, seed=0)
    clip = make_clip(1, 6, (16, 24))
    with pytest.raises(UserError, match=message):
        evaluate_windows(
            model,
            "val",
            [Video("v", clip["frames"][0], clip["poses"][0])],
            **{"horizon": 3} | numbers,
        )


@pytest.mark.filterwarnings("error::RuntimeWarning")
@pytest.mark.parametrize("value", [np.nan, np.inf])
def test_samples_that_diverge_are_null(value):
    class Diverges(Known):
        def predict_pieces(self, first, poses, temperature, seed, z=None):
            for piece in super().predict_pieces(first, poses, temperature, seed, z):
                if temperature:
                    piece[0] = value
                yield piece

    videos = [grey("a", 100, 200, size=(8, 8))]
    metrics, _ = evaluate_windows(Diverges(), "val", videos, 2, 2, 3, find=find_white)
    for name in ("mean_psnr", "mean_psnr_ci", "diversity", "ssim", "best_ssim"):
        assert metrics[name] is None, name
    # Minus infinity is no best sample, but NaN may have been one.
    assert (metrics["best_psnr"] is None) == np.isnan(value)
    assert metrics["psnr"] == pytest.approx(27, abs=1e-3)
    text = windows_table(metrics)
    assert "nan" not in text and "inf" not in text
    assert text.splitlines()[2].split()[-2:] == ["-", "-"]


@pytest.mark.filterwarnings("error::RuntimeWarning")
def test_a_perfect_model_has_100_db():
    class Perfect(Known):
        def predict_pieces(self, first, poses, temperature, seed, z=None):
            return (poses[:, [t]].astype("float32") / 255 for t in range(1, poses.shape[1]))

    metrics, _ = evaluate_windows(Perfect(), "val", [grey("a", 100, 200)], 2, 2, 3)
    for name in ("psnr", "mean_psnr", "best_psnr", "posterior_psnr"):
        assert metrics[name] == pytest.approx(100) and metrics[f"{name}_ci"] == pytest.approx(0)
    assert metrics["diversity"] == pytest.approx(0, abs=1e-9)
    assert metrics["ssim"] == pytest.approx(1)
