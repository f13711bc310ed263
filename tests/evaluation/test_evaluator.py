import importlib
import json
import shutil

import cv2
import numpy as np
import pytest

from keras_cvae import CVAE
from keras_cvae.data import Video
from keras_cvae.data.synthetic import write_dataset
from keras_cvae.errors import NotFiniteError, UserError
from keras_cvae.evaluation.evaluator import check_evaluation, evaluate_data, evaluate_splits
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
    assert (tmp_path / "val_samples.gif").is_file()
    assert metrics["val_samples_samples"] == 2
    assert metrics["val_samples_psnr_best"] >= metrics["val_samples_psnr_mean"]


def test_windows_have_names_and_files_of_their_own(model, tmp_path):
    given = {"val": videos(4, 9), "test": videos(5)}
    options = {"samples": 2, "windows": 3, "horizon": 2}
    mean = np.full((16, 24, 3), 0.5)
    metrics, _ = evaluate_splits(model, given, tmp_path, mean, **options)
    for split in ("val", "test"):
        assert metrics[f"{split}_windows_mean_frame_psnr"] > 0
        start = f"{split}_windows_"
        assert metrics[f"{start}count"] == 3 and metrics[f"{start}samples"] == 2
        assert metrics[f"{start}best_psnr"] >= metrics[f"{start}mean_psnr"]
        lines = (tmp_path / f"{split}_windows.csv").read_text().splitlines()
        assert len(lines) == 3 and (tmp_path / f"{split}_windows.png").is_file()
    # The samples are those of the windows.
    assert not [name for name in metrics if "samples_" in name]
    assert not (tmp_path / "val_samples.gif").exists()
    json.dumps(metrics, allow_nan=False)


def test_a_horizon_beyond_the_videos_fails_before_anything_is_predicted(data, tmp_path):
    message = "^val: The longest video .* has 3 frames; a window of horizon=3 needs 4"
    with pytest.raises(UserError, match=message):
        evaluate_data(Diverges(None), data, tmp_path / "out", windows=5, horizon=3)
    assert not (tmp_path / "out").exists()


def test_the_ball_is_found_in_data_that_say_so(model, data, tmp_path, monkeypatch):
    folder = shutil.copytree(data, tmp_path / "ball")
    info = json.loads((folder / "dataset.json").read_text())
    (folder / "dataset.json").write_text(json.dumps(info | {"ball": True}))
    module = importlib.import_module("keras_cvae.data.synthetic.find_ball")
    monkeypatch.setattr(module, "find_ball", lambda images: np.zeros((len(images), 2)))
    options = {"frame_size": (16, 24), "samples": 1, "windows": 2, "horizon": 2}
    metrics = evaluate_data(model, folder, tmp_path / "with", **options)
    assert metrics["val_windows_ball_error"] == 0 and metrics["test_windows_ball_found"] == 1
    metrics = evaluate_data(model, data, tmp_path / "without", **options)
    assert not [name for name in metrics if "ball" in name]


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"windows": 0}, "windows must be at least 1; got windows=0"),
        ({"windows": 5, "horizon": 0}, "horizon must be at least 1; got horizon=0"),
        ({"horizon": 5}, "horizon=5 was given without windows.*Give windows too"),
        ({"samples": 0}, "samples must be at least 1; got samples=0"),
        ({"submission": "absent/x.csv"}, "absent/x.csv does not exist; make it first"),
    ],
)
def test_what_will_not_do_fails_before_anything_is_loaded(tmp_path, options, message):
    with pytest.raises(UserError, match=message):
        check_evaluation("builtin", tmp_path / "out", **options)


class Diverges:
    """Stands for a model whose predictions break after some frames."""

    frame_size, temperature = (16, 24), 0.0

    def __init__(self, model, after=2):
        self.model, self.after = model, after

    def predict_pieces(self, *arguments, **options):
        for t, frame in enumerate(self.model.stream_video(*arguments, **options), start=1):
            yield (frame if t <= self.after else frame * np.float32("nan"))[:, None]

    def infer_latents(self, frames, poses):
        return self.model.infer_latents(frames, poses)

    def compare_to_prior(self, frames, poses):
        return self.model.compare_to_prior(frames, poses)


@pytest.fixture(scope="module")
def data(tmp_path_factory):
    folder = tmp_path_factory.mktemp("data") / "dance"
    lengths = {"train": [4], "val": [3], "test": [5, 4]}
    return write_dataset(folder, (16, 24), frames=lengths)


def blind(data, folder):
    """The data without true test frames."""
    shutil.copytree(data, folder)
    shutil.rmtree(folder / "test" / "test_truth")
    return folder


def test_of_a_split_that_diverges_nothing_is_written(model, tmp_path):
    with pytest.raises(NotFiniteError, match="prediction of v1, from frame 3 on, is not finite"):
        evaluate_splits(Diverges(model), {"test": videos(3, 5)}, tmp_path)
    assert not list(tmp_path.iterdir())


@pytest.mark.parametrize("submission", [False, True])
@pytest.mark.parametrize("truth", [False, True])
def test_data_whose_prediction_diverges_leave_nothing(model, data, tmp_path, submission, truth):
    folder = data if truth else blind(data, tmp_path / "blind")
    before = set(tmp_path.iterdir())
    path = tmp_path / "x.csv" if submission else None
    with pytest.raises(UserError, match="from frame 3 on, is not finite"):
        evaluate_data(Diverges(model), folder, tmp_path / "out", submission=path)
    assert set(tmp_path.iterdir()) == before


def test_frames_smaller_than_the_window_of_the_ssim_have_none(model, tmp_path):
    (video,) = videos(4)
    small = Video("v", video.frames[:, :8, :16], video.poses[:, :8, :16])
    metrics, _ = evaluate_splits(model, {"val": [small]}, tmp_path, samples=2)
    assert metrics["val_ssim"] is None and metrics["val_samples_ssim_mean"] is None
    assert metrics["val_psnr"] > 0
    json.dumps(metrics, allow_nan=False)


def test_a_test_split_without_truth_is_predicted_and_shown(model, data, tmp_path):
    folder = blind(data, tmp_path / "blind")
    metrics = evaluate_data(model, folder, tmp_path / "out", (16, 24))
    assert not [name for name in metrics if name.startswith("test")]
    assert [p.name for p in (tmp_path / "out").glob("test*")] == ["test.gif"]
    done, film = cv2.imreadanimation(str(tmp_path / "out" / "test.gif"))
    assert done and len(film.frames) == 5  # the first video, to its end
    assert film.frames[0].shape[1] == 2 * 4 * 24 + 2  # prediction and pose


def test_single_frames_are_refused_before_anything_is_predicted(data, tmp_path):
    folder = blind(data, tmp_path / "blind")
    for path in (folder / "test" / "test_label" / "1").iterdir():
        if path.name != "0.png":
            path.unlink()
    with pytest.raises(UserError, match="The test video .* has a single frame"):
        evaluate_data(Diverges(None), folder, tmp_path / "out")
    assert not (tmp_path / "out").exists()
