import json

import numpy as np
import pytest

from keras_cvae import CVAE
from keras_cvae.data import Video
from keras_cvae.errors import UserError
from keras_cvae.evaluation.evaluator import check_evaluation, evaluate_splits
from keras_cvae.evaluation.rollouts import evaluate_videos


def videos(*lengths):
    rng = np.random.default_rng(1)
    return [
        Video(f"v{n}", *rng.integers(0, 256, (2, length, 16, 24, 3), dtype=np.uint8))
        for n, length in enumerate(lengths)
    ]


@pytest.fixture(scope="module")
def model():
    return CVAE.from_preset("multiscale", seed=0)


def test_metrics_are_flat_means_over_all_frames(model, tmp_path):
    val, test = videos(3, 9), videos(4)
    mean = np.full((16, 24, 3), 0.5)
    given = {"val": val, "test": test}
    metrics, evaluations = evaluate_splits(model, given, tmp_path, mean)
    short, long = evaluate_videos(model, val, mean)
    assert metrics["val_psnr"] == pytest.approx((short.psnr.sum() + long.psnr.sum()) / 10)
    assert metrics["val_ssim"] == pytest.approx((short.ssim.sum() + long.ssim.sum()) / 10)
    copied = np.concatenate([short.baselines["mean_frame"], long.baselines["mean_frame"]])
    assert metrics["baselines"]["mean_frame"] == pytest.approx(copied.mean())
    assert list(metrics["test_baselines"]) == ["first_frame", "mean_frame", "previous_true_frame"]
    assert {"val_kl_nats", "val_active_maps", "val_latent_maps", "val_posterior_psnr"} < set(
        metrics
    )
    assert json.loads(json.dumps(metrics)) == metrics
    assert [each.name for each in evaluations["val"]] == ["v0", "v1"]


def test_without_training_data_there_is_no_mean_frame(model, tmp_path):
    metrics, _ = evaluate_splits(model, {"val": videos(4), "test": []}, tmp_path)
    assert "mean_frame" not in metrics["baselines"]
    assert not [name for name in metrics if name.startswith("test")]


def test_samples_have_names_of_their_own(model, tmp_path):
    metrics, _ = evaluate_splits(model, {"val": videos(4)}, tmp_path, samples=2)
    assert metrics["val_samples_samples"] == 2
    assert metrics["val_samples_psnr_best"] >= metrics["val_samples_psnr_mean"]


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"samples": 0}, "samples must be at least 1; got samples=0"),
        ({"submission": "absent/x.csv"}, "absent/x.csv does not exist; make it first"),
    ],
)
def test_what_will_not_do_fails_before_anything_is_loaded(tmp_path, options, message):
    with pytest.raises(UserError, match=message):
        check_evaluation("builtin", tmp_path / "out", **options)
