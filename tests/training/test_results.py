"""The end of a run whose model is good, and of one whose rollouts break."""

import functools
import json
import time

import numpy as np
import pytest
import script_checks

from keras_cvae import CVAE
from keras_cvae.data import Video
from keras_cvae.errors import UserError
from keras_cvae.training import results


@functools.cache
def good_model():
    return CVAE.from_preset("multiscale", seed=0)


class Breaks:
    """Stands for a model that breaks on the videos of some lengths, or at a temperature."""

    frame_size, temperature, kl_reduction = (16, 24), 0.0, "sum"

    def __init__(self, lengths=(), at=None):
        self.lengths, self.at = lengths, at
        self.model = good_model()

    def predict_pieces(self, first, poses, temperature=None, seed=0, z=None):
        broken = poses.shape[1] in self.lengths or (
            temperature is not None and temperature == self.at
        )
        for piece in self.model.predict_pieces(first, poses, 0.0, seed, z=z):
            yield piece * np.float32("nan") if broken else piece

    def infer_latents(self, frames, poses):
        return self.model.infer_latents(frames, poses)

    def compare_to_prior(self, frames, poses):
        return self.model.compare_to_prior(frames, poses)


def videos(*lengths):
    rng = np.random.default_rng(1)
    return [
        Video(f"v{n}", *rng.integers(0, 256, (2, length, 16, 24, 3), dtype=np.uint8))
        for n, length in enumerate(lengths)
    ]


@pytest.fixture
def finish(tmp_path, monkeypatch):
    """Writes the results of a run with a model, and gives them and what the file holds."""
    history = [{"epoch": 1, "loss": 1.0, "kl": 2.0, "val_psnr": 9.0}]
    drawn = {}
    monkeypatch.setattr(results, "read_training_state", lambda path: {"history": history})
    monkeypatch.setattr(results.plots, "plot_history", lambda *_, **options: drawn.update(options))

    def finish(model, given):
        monkeypatch.setattr(results, "load_model", lambda path, compile: model)
        metrics = results.write_results(tmp_path, videos(4), given, time.monotonic())

        def refuse(token):
            raise AssertionError(f"{token} is no JSON")

        stored = json.loads((tmp_path / "metrics.json").read_text(), parse_constant=refuse)
        assert stored == metrics and drawn["kl_unit"] == "nats per frame"
        return metrics

    with script_checks.no_pictures():
        yield finish


def test_a_test_rollout_that_breaks_costs_the_test_results_alone(finish, tmp_path):
    given = {"val": videos(3), "test": videos(3, 5)}
    whole = finish(Breaks(), given)
    assert {"val_psnr", "test_psnr", "test_baselines", "val_psnr_t1"} <= set(whole)
    for path in tmp_path.glob("test*"):
        path.unlink()
    with pytest.warns(UserWarning, match="test results are left out. .*v1, from frame 1 on") as got:
        metrics = finish(Breaks(lengths=[5]), given)
    (line,) = [str(each.message) for each in got if each.category is UserWarning]
    assert "\n" not in line
    assert not [name for name in metrics if name.startswith("test")]
    assert metrics["val_psnr"] == pytest.approx(whole["val_psnr"])
    assert metrics["baselines"] == whole["baselines"]
    assert (tmp_path / "val.gif").is_file() and not list(tmp_path.glob("test*"))


def test_a_value_at_temperature_1_that_is_not_finite_is_null(finish):
    metrics = finish(Breaks(at=1.0), {"val": videos(3)})
    assert metrics["val_psnr_t1"] is None and metrics["val_psnr_t0"] == metrics["val_psnr"]


def test_validation_that_breaks_is_an_error(finish, tmp_path):
    with pytest.raises(UserError, match="prediction of v0, from frame 1 on, is not finite"):
        finish(Breaks(lengths=[3]), {"val": videos(3)})
    assert not list(tmp_path.iterdir())


def test_a_test_split_without_truth_is_predicted(finish, tmp_path):
    blind = [video._replace(frames=video.frames[:1]) for video in videos(5, 4)]
    metrics = finish(Breaks(), {"val": videos(3), "test": blind})
    assert not [name for name in metrics if name.startswith("test")]
    assert [path.name for path in tmp_path.glob("test*")] == ["test.gif"]
