"""Best of N and diversity, worked out by hand and on a model."""

import itertools

import keras
import numpy as np
import pytest
from checks import TINIEST, make_clip

from keras_cvae import CVAE
from keras_cvae.data import Video
from keras_cvae.evaluation.sampling import (
    Samples,
    best_sample,
    confidence,
    evaluate_samples,
    pairwise_distance,
    sample_videos,
    summarise,
)
from keras_cvae.evaluation.tables import samples_table
from keras_cvae.metrics import frame_psnr


def test_distance_is_the_mean_over_all_pairs():
    images = np.random.default_rng(0).random((5, 4, 3, 3))
    pairs = [np.abs(a - b).mean() for a, b in itertools.combinations(images, 2)]
    assert pairwise_distance(images) == pytest.approx(255 * np.mean(pairs))
    assert pairwise_distance(images[:1]) == 0
    assert pairwise_distance(np.stack([images[0]] * 3)) == pytest.approx(0, abs=1e-9)


def test_mean_and_best_of_two_videos():
    one = Samples("a", np.array([[20.0, 22], [10, 12]]), np.full((2, 2), 0.5), np.array([2.0, 4]))
    two = Samples("b", np.array([[30.0, 30], [32, 32]]), np.full((2, 2), 0.7), np.array([1.0, 1]))
    result = summarise([one, two])
    assert result["psnr_mean"] == pytest.approx((16 + 31) / 2)
    assert result["psnr_best"] == pytest.approx((21 + 32) / 2)
    assert result["psnr_spread"] == pytest.approx((5 + 1) / 2)
    assert result["ssim_mean"] == result["ssim_best"] == pytest.approx(0.6)
    assert result["diversity"] == pytest.approx(2)
    error = np.std([16, 31], ddof=1) / np.sqrt(2)
    assert result["psnr_mean_ci"] == pytest.approx(1.96 * error)
    alone = summarise([one])
    assert alone["psnr_best_ci"] is None
    assert alone["psnr_mean_ci"] == pytest.approx(confidence([21.0, 11.0]))


def test_the_best_sample_has_the_highest_mean():
    values = np.array([[40.0, 20], [32, 32], [20, 20]])
    assert best_sample(values).tolist() == [32, 32]


def test_samples_of_a_model():
    keras.utils.set_random_seed(0)
    model = CVAE("multiscale", **TINIEST, initialisation="pytorch", seed=0)
    clip = make_clip(1, 5, (16, 24))
    video = Video("v", clip["frames"][0], clip["poses"][0])
    ticks = []
    progress = type("Progress", (), {"update": lambda self, n: ticks.append(n)})()
    (sampled,) = sample_videos(model, [video], 3, temperature=2.0, seed=4, progress=progress)
    assert sampled.psnr.shape == sampled.ssim.shape == (3, 4) and sum(ticks) == 12
    first, poses = np.repeat(video.frames[:1], 3, 0), np.repeat(video.poses[None], 3, 0)
    expected = model.predict_video(first, poses, temperature=2.0, seed=4)
    for number in range(3):
        curve = frame_psnr(video.frames[1:], expected[number, 1:])
        np.testing.assert_allclose(sampled.psnr[number], curve, rtol=1e-5)
    assert sampled.diversity.min() > 0
    (still,) = sample_videos(model, [video], 2, temperature=0.0)
    assert still.diversity.max() < 1e-3
    np.testing.assert_allclose(still.psnr[0], still.psnr[1], rtol=1e-5)


def test_the_first_frames_of_the_first_samples_are_kept():
    keras.utils.set_random_seed(0)
    model = CVAE("multiscale", **TINIEST, initialisation="pytorch", seed=0)
    clip = make_clip(2, 5, (16, 24))
    videos = [Video("v", clip["frames"][i], clip["poses"][i]) for i in range(2)]
    metrics, kept = evaluate_samples(model, "val", videos, 6, 2.0, seed=4, keep_frames=3)
    assert kept.shape == (4, 3, 16, 24, 3) and kept.dtype == np.uint8
    first, poses = np.repeat(videos[0].frames[:1], 6, 0), np.repeat(videos[0].poses[None], 6, 0)
    expected = 255 * model.predict_video(first, poses, temperature=2.0, seed=4)[:4, :3]
    assert np.abs(kept - expected.clip(0, 255)).max() <= 0.51
    assert metrics["samples"] == 6
    assert sample_videos(model, videos[:1], 2, 1.0)[0].frames is None
    assert evaluate_samples(model, "val", videos, 2, keep_frames=99)[1].shape[:2] == (2, 5)


class Numbered:
    """Predicts frames that say their place in all batches, and notes what it was given."""

    def __init__(self):
        self.batches, self.seeds, self.z = [], [], []

    def predict_pieces(self, first, poses, temperature, seed, z=None):
        start = sum(self.batches)
        self.batches.append(len(first))
        self.seeds.append(seed)
        self.z.append(z)
        value = (start + np.arange(len(first), dtype="float32")) / 255
        for t in range(1, poses.shape[1]):
            yield np.broadcast_to(value[:, None, None, None, None] + t / 2550, first[:, None].shape)


def test_many_samples_are_in_batches_frame_by_frame(monkeypatch):
    monkeypatch.setattr("keras_cvae.evaluation.sampling.AT_ONCE", 3)
    black = np.zeros((3, 16, 24, 3), np.uint8)
    videos = [Video(name, black, black) for name in "ab"]
    model, z, ticks = Numbered(), np.arange(8).reshape(8, 1), []
    progress = type("Progress", (), {"update": lambda self, n: ticks.append(n)})()
    centres = lambda images: images[:, 0, 0, :2].astype(float)  # noqa: E731
    one, two = sample_videos(model, videos, 4, 1.0, 7, progress, 3, z, centres)
    assert model.batches == [3, 3, 2] and ticks == [8, 8]
    assert model.seeds[0] == 7 and len(set(map(int, model.seeds))) == 3
    np.testing.assert_array_equal(np.concatenate(model.z), z)
    assert (one.name, two.name) == ("a", "b")
    assert one.centres.shape == (4, 2, 2)
    assert one.centres[:, 0, 0].tolist() == [0, 1, 2, 3]
    assert two.centres[:, 1, 1].tolist() == [4, 5, 6, 7]
    error = (np.array([4, 5, 6, 7])[:, None] + np.array([0.1, 0.2])) / 255
    np.testing.assert_allclose(two.psnr, -20 * np.log10(error), rtol=1e-4)
    # Of 0, 1, 2, 3 the mean distance of a pair is 10 / 6.
    np.testing.assert_allclose(one.diversity, 10 / 6, rtol=1e-4)
    assert one.frames.shape == (4, 3, 16, 24, 3) and two.frames is None
    assert one.frames[:, 1, 0, 0, 0].tolist() == [0, 1, 2, 3]
    assert one.ssim.shape == (4, 2) and one.ssim[0, 0] > one.ssim[3, 0]


@pytest.mark.filterwarnings("error")
@pytest.mark.parametrize("value", [np.nan, np.inf])
def test_samples_that_diverge_are_null(value):
    class Diverges:
        def predict_pieces(self, first, poses, temperature, seed):
            for _ in range(1, poses.shape[1]):
                frame = np.zeros(first.shape, "float32")
                frame[0] = value if temperature else 0
                yield frame[:, None]

    images = np.random.default_rng(0).integers(0, 256, (2, 4, 8, 8, 3), dtype=np.uint8)
    metrics, _ = evaluate_samples(Diverges(), "val", [Video("v", *images)], 3)
    assert metrics["psnr_mean"] is None and metrics["diversity"] is None
    assert metrics["psnr_zero"] > 0 and metrics["ssim_zero"] is None  # frames of 8 x 8
    lines = samples_table(metrics).splitlines()
    assert lines[1].split()[-2] == "-" and "nan" not in "".join(lines)
