"""scripts/evaluate.py on a finished run."""

import csv
import json
import shutil

import numpy as np
import pytest
from script_checks import SIZE, one_error, run_script

from keras_cvae.errors import UserError


def mean_of(path, column):
    with open(path, newline="") as file:
        return np.mean([float(row[column]) for row in csv.DictReader(file)])


def test_a_run_is_evaluated_on_its_own_data(copy):
    done = run_script("evaluate", copy)
    assert done.code == 0, done.err
    out = copy / "evaluation"
    metrics, trained = (json.loads((d / "metrics.json").read_text()) for d in (out, copy))
    for split in ("val", "test"):
        baselines = "baselines" if split == "val" else "test_baselines"
        assert metrics[baselines] == pytest.approx(trained[baselines])
        csv_file = out / f"{split}_psnr_per_frame.csv"
        for name in ("psnr", "ssim"):
            value = metrics[f"{split}_{name}"]
            assert value == pytest.approx(trained[f"{split}_{name}"], rel=1e-6)
            assert mean_of(csv_file, name) == pytest.approx(value, rel=1e-4)
        for name, value in metrics[baselines].items():
            assert mean_of(csv_file, name) == pytest.approx(value, rel=1e-4)
        assert f"{metrics[f'{split}_psnr']:.4g}" in done.out
    # One schema: what a run has beyond it is about the training.
    assert set(trained) - set(metrics) == {"val_psnr_t0", "val_psnr_t1", "epochs", "seconds"}
    for name in ("kl_nats", "active_maps", "posterior_psnr"):
        assert metrics[f"val_{name}"] == pytest.approx(trained[f"val_{name}"])
    names = {"metrics.json"} | {
        f"{split}{end}"
        for split in ("val", "test")
        for end in (
            *("_psnr_per_frame.csv", "_psnr_per_frame.png"),
            *("_film_strip.csv", "_film_strip.png", "_film_strip.svg", ".gif"),
        )
    }
    assert {path.name for path in out.iterdir()} == names
    before = (out / "metrics.json").read_bytes()
    assert "evaluation" in one_error(run_script("evaluate", copy))  # never overwritten
    assert (out / "metrics.json").read_bytes() == before


def test_a_file_on_other_data(run, data, tmp_path, monkeypatch):
    """Data without a training split: no mean frame; without truth: no test."""
    folder = shutil.copytree(data, tmp_path / "data")
    shutil.rmtree(folder / "train")
    shutil.rmtree(folder / "test" / "test_truth")
    monkeypatch.chdir(tmp_path)
    done = run_script(
        *("evaluate", run / "best.keras", "--data", folder, "--temperature", 1, "--seed", 0),
    )
    assert done.code == 0, done.err
    metrics = json.loads((tmp_path / "evaluation" / "metrics.json").read_text())
    assert not [name for name in metrics if name.startswith("test")]
    assert [path.name for path in (tmp_path / "evaluation").glob("test*")] == ["test.gif"]
    assert "test, no true frames: the prediction of the first video is evaluation/test.gif" in (
        done.out
    )
    assert "mean_frame" not in metrics["baselines"] and metrics["temperature"] == 1
    assert metrics["frame_size"] == list(SIZE)  # that of the training
    trained = json.loads((run / "metrics.json").read_text())
    assert metrics["val_psnr"] == pytest.approx(trained["val_psnr_t1"], rel=1e-6)


def test_another_seed_gives_other_noise(run, data, tmp_path):
    values = []
    for seed in (0, 1):
        out = tmp_path / f"{seed}"
        options = ["--data", data, "--temperature", 1, "--seed", seed, "--out", out]
        assert run_script("evaluate", run, *options).code == 0
        values.append(json.loads((out / "metrics.json").read_text())["val_psnr"])
    assert values[0] != values[1]


@pytest.mark.parametrize(
    ("wrong", "message"),
    [
        (["--data", "absent"], "absent"),
        (["--temperature", "-1"], "temperature"),
        (["--frame-size", "15", "16"], "multiples of 8"),
        (["--frame-size", "0", "16"], "frame_size"),
        (["--seed", "-1"], "seed|negative"),
    ],
    ids=str,
)
def test_wrong_values_are_one_line_and_leave_nothing(run, tmp_path, wrong, message):
    import re

    line = one_error(run_script("evaluate", run, *wrong, "--out", tmp_path / "out"))
    assert re.search(message, line), line
    assert not list(tmp_path.iterdir())


def test_data_with_nothing_to_predict(run, data, tmp_path):
    folder = shutil.copytree(data, tmp_path / "data")
    shutil.rmtree(folder / "val")
    shutil.rmtree(folder / "test")
    line = one_error(run_script("evaluate", run, "--data", folder, "--out", tmp_path / "out"))
    assert "neither a val split nor a test split" in line
    assert [path.name for path in tmp_path.iterdir()] == ["data"]


@pytest.mark.parametrize("kind", ["absent", "text", "folder", "run without a model"])
def test_what_is_no_model_is_one_line(copy, data, tmp_path, kind):
    path, out = tmp_path / "model.keras", tmp_path / "out"
    if kind == "text":
        path.write_text("no model")
    elif kind == "folder":
        path.mkdir()
    elif kind == "run without a model":
        path = copy
        (path / "best.keras").unlink()
    options = ["--data", data, "--frame-size", *SIZE, "--out", out]
    assert str(path) in one_error(run_script("evaluate", path, *options))
    assert not out.exists()


def test_best_of_n_samples_and_z_0(copy):
    done = run_script("evaluate", copy, "--samples", 3, "--out", copy / "samples")
    assert done.code == 0, done.err
    metrics = json.loads((copy / "samples" / "metrics.json").read_text())
    for split in ("val", "test"):
        assert (copy / "samples" / f"{split}_samples.gif").is_file()
        start = f"{split}_samples_"
        sampled = {k.removeprefix(start): v for k, v in metrics.items() if k.startswith(start)}
        assert sampled["temperature"] == 1 and sampled["samples"] == 3
        assert sampled["psnr_mean"] <= sampled["psnr_best"]
        # The run's temperature is 0: its own rollout has z = 0.
        assert sampled["psnr_zero"] == pytest.approx(
            np.mean(psnr_by_video(copy / "samples", split)), rel=1e-4
        )
    assert done.out.count("best of 3 samples") == 2 and "temperature 0" in done.out
    assert "at least 1" in one_error(run_script("evaluate", copy, "--samples", 0))


def test_short_windows(copy):
    out = copy / "windows"
    flags = "--windows", 4, "--horizon", 2, "--samples", 3, "--out", out
    done = run_script("evaluate", copy, *flags)
    assert done.code == 0, done.err
    metrics = json.loads((out / "metrics.json").read_text())
    for split in ("val", "test"):
        start = f"{split}_windows_"
        found = {k.removeprefix(start): v for k, v in metrics.items() if k.startswith(start)}
        assert (found["count"], found["horizon"], found["samples"]) == (4, 2, 3)
        # 7 frames have two disjoint windows of 3, 5 and 4 frames one each.
        assert found["overlap"] is True
        for name in ("psnr", "mean_psnr", "best_psnr", "posterior_psnr", "kl_nats", "ssim"):
            assert mean_of(out / f"{split}_windows.csv", name) == pytest.approx(
                found[name], rel=1e-4
            )
        assert found["gap"] == pytest.approx(found["posterior_psnr"] - found["psnr"])
        assert found["mean_psnr"] <= found["best_psnr"]
        assert (out / f"{split}_windows.png").is_file()
        assert f"{split}, windows of 2 frames:" in done.out
    assert done.out.count("best of 3 samples") == 2 and "overlap" in done.out
    assert not (out / "val_samples.gif").exists()


def test_windows_without_a_number_are_50(monkeypatch, run, tmp_path):
    asked = {}

    def check(*arguments):
        asked["arguments"] = arguments
        raise UserError("enough")

    monkeypatch.setattr("keras_cvae.evaluation.evaluator.check_evaluation", check)
    assert "enough" in one_error(run_script("evaluate", run, "--windows", "--out", tmp_path / "x"))
    assert asked["arguments"][-2:] == (50, None)  # evaluate_data's own horizon is 25


@pytest.mark.parametrize(
    ("wrong", "message"),
    [
        (["--windows", 0], "windows must be at least 1; got windows=0"),
        (["--windows", "--horizon", 0], "horizon must be at least 1; got horizon=0"),
        (["--windows", "--samples", 0], "samples must be at least 1; got samples=0"),
        (["--horizon", 5], "horizon=5 was given without windows"),
        (["--windows"], "has 7 frames; a window of horizon=25 needs 26"),
    ],
    ids=str,
)
def test_wrong_windows_are_one_line_and_leave_nothing(run, tmp_path, wrong, message):
    assert message in one_error(run_script("evaluate", run, *wrong, "--out", tmp_path / "out"))
    assert not list(tmp_path.iterdir())


def psnr_by_video(folder, split):
    values = {}
    with open(folder / f"{split}_psnr_per_frame.csv", newline="") as file:
        for row in csv.DictReader(file):
            values.setdefault(row["video"], []).append(float(row["psnr"]))
    return [np.mean(each) for each in values.values()]
