"""scripts/train.py: what a run leaves behind."""

import json
import zipfile

import keras
import numpy as np
import pytest
from checks import rounding
from script_checks import SIZE, history, one_error, run_script, states

import keras_cvae
from keras_cvae.backend.device import device_name
from keras_cvae.data import load_videos
from keras_cvae.evaluation.latent_use import latent_use
from keras_cvae.training import fit


def psnr_by_hand(model, videos, temperature=None):
    curves = []
    for video in videos:
        prediction = model.predict_video(video.frames[0], video.poses, temperature, seed=0)
        errors = video.frames[1:].astype("float64") / 255 - prediction[1:]
        curves.append(-10 * np.log10((errors**2).mean(axis=(1, 2, 3))))
    return float(np.concatenate(curves).mean())


def copy_psnr(truth, copied):
    errors = truth[1:].astype("float64") / 255 - copied
    return float((-10 * np.log10((errors**2).mean(axis=(1, 2, 3)))).mean())


def test_a_run_folder_has_everything(run):
    names = {path.relative_to(run).as_posix() for path in run.rglob("*") if path.is_file()}
    expected = {"config.json", "history.csv", "metrics.json", "best.keras", "last.keras"}
    expected |= {"data.json", "dancer.npz"}
    expected |= {"curves.png", "newest_rollout.gif"} | {
        f"rollouts/epoch-000{i}.gif" for i in (1, 2, 3, 4)
    }
    for split in ("val", "test"):
        expected |= {f"{split}_psnr_per_frame.csv", f"{split}_psnr_per_frame.png"}
        expected |= {f"{split}_film_strip.{ending}" for ending in ("png", "svg", "csv")}
        expected.add(f"{split}.gif")
    assert names == expected


def test_history(run):
    rows = history(run)
    assert list(rows[0]) == ["epoch", "loss", "mse", "kl", "beta", "tfr", "lr", "val_psnr"]
    assert [row["epoch"] for row in rows] == ["1", "2", "3", "4"]
    assert [float(row["beta"]) for row in rows] == pytest.approx([0, 1 / 3, 2 / 3, 1])
    assert {float(row["tfr"]) for row in rows} == {0.5}
    assert [row["val_psnr"] != "" for row in rows] == [False, True, False, True]
    for row in rows:
        mse, kl, beta = float(row["mse"]), float(row["kl"]), float(row["beta"])
        assert float(row["loss"]) == pytest.approx(mse + beta * kl, rel=1e-4)
    # 20 frames are 6 clips of 3, 3 batches of 2 an epoch: 12 steps in all.
    cosine = [2e-3 * (0.01 + 0.99 * (1 + np.cos(np.pi * step / 12)) / 2) for step in (3, 6, 9, 12)]
    assert [float(row["lr"]) for row in rows] == pytest.approx(cosine, rel=1e-3)


def test_metrics_are_those_of_the_best_model(run, data):
    metrics = json.loads((run / "metrics.json").read_text())
    model = keras_cvae.load_model(run / "best.keras")
    train, val, test = (load_videos(data, split, SIZE) for split in ("train", "val", "test"))
    assert metrics["val_psnr"] == pytest.approx(psnr_by_hand(model, val), rel=rounding(1e-6))
    assert metrics["test_psnr"] == pytest.approx(psnr_by_hand(model, test), rel=rounding(1e-6))
    validated = [float(row["val_psnr"]) for row in history(run) if row["val_psnr"]]
    assert metrics["val_psnr"] == pytest.approx(max(validated), rel=1e-6)
    assert metrics["val_psnr_t0"] == metrics["val_psnr"]
    at_1 = psnr_by_hand(model, val, 1.0)
    assert metrics["val_psnr_t1"] == pytest.approx(at_1, rel=rounding(1e-6))
    (truth,) = (video.frames for video in val)
    mean = train[0].frames.mean(axis=0) / 255
    assert metrics["baselines"] == pytest.approx(
        {
            "first_frame": copy_psnr(truth, truth[:1] / 255),
            "mean_frame": copy_psnr(truth, mean),
            "previous_true_frame": copy_psnr(truth, truth[:-1] / 255),
        }
    )
    assert metrics["epochs"] == 4 and metrics["temperature"] == 0
    assert 0.5 < metrics["seconds"] < 600
    assert 0 < metrics["val_ssim"] < 1 and 0 < metrics["test_ssim"] < 1
    use = latent_use(model, val)
    assert {name: metrics[f"val_{name}"] for name in use} == pytest.approx(use, rel=rounding(1e-6))


def test_the_configuration_says_all(run, data):
    config = json.loads((run / "config.json").read_text())
    for name in ("best.keras", "last.keras"):
        stored = json.loads(zipfile.ZipFile(run / name).read("config.json"))
        assert stored["config"]["poses"] == "builtin"  # which the folder holds
    assert config["data"] == str(data) and config["frame_size"] == list(SIZE)
    assert (config["tfr"], config["seed"], config["validate_every"]) == (0.5, 3, 2)
    assert config["preset"] == "multiscale" and config["recipe"] == "recommended"
    environment = config["environment"]
    assert environment["backend"] == keras.backend.backend()
    assert environment["versions"]["keras"] == keras.__version__
    assert environment["versions"]["keras_cvae"] == keras_cvae.__version__


def test_what_is_printed(run):
    out = run.with_name("stdout").read_text()
    assert f"backend: {keras.backend.backend()}" in out
    assert f"run folder: {run}" in out
    for flag in ("kl_anneal", "frame_size", "schedule_epochs"):
        assert f"  {flag} " in out  # the resolved configuration
    assert out.count("\nepoch ") == 4
    metrics = json.loads((run / "metrics.json").read_text())
    assert f"{metrics['val_psnr']:.2f} dB" in out and f"{metrics['test_psnr']:.2f} dB" in out
    assert f"{metrics['baselines']['mean_frame']:.2f} dB" in out
    assert f"with the posterior's z {metrics['val_posterior_psnr']:.2f} dB" in out


def test_per_frame_psnr(run):
    header, *rows = (run / "test_psnr_per_frame.csv").read_text().splitlines()
    assert header == "video,frame,psnr,ssim,first_frame,mean_frame,previous_true_frame"
    named = [row.split(",")[:2] for row in rows]
    assert named == [["test_0", str(t)] for t in range(1, 5)] + [
        ["test_1", str(t)] for t in range(1, 4)
    ]
    metrics = json.loads((run / "metrics.json").read_text())
    mean = np.mean([float(row.split(",")[2]) for row in rows])
    assert mean == pytest.approx(metrics["test_psnr"], rel=1e-5)


def test_the_best_model_holds_the_averaged_weights(flags, tmp_path, monkeypatch):
    raw, averages = [], []

    class Notes(fit.EpochReport):
        """Averages the weights after each step by hand."""

        def on_train_batch_end(self, batch, logs=None):
            raw.append(weights(self.model))
            if batch == self.params["steps"] - 1:
                mean = raw[0]  # the first step has nothing to average with
                for after in raw[1:]:
                    mean = [0.9 * m + 0.1 * w for m, w in zip(mean, after, strict=True)]
                averages.append(mean)

    monkeypatch.setattr(fit, "EpochReport", Notes)
    run = tmp_path / "run"
    done = run_script("train", *flags, "--ema", 0.9, "--validate-every", 1, "--out", run)
    assert done.code == 0, done.err
    scores = [float(row["val_psnr"]) for row in history(run)]
    metrics = json.loads((run / "metrics.json").read_text())
    assert metrics["val_psnr"] == pytest.approx(max(scores), rel=1e-6)
    best = int(np.argmax(scores))
    got = weights(keras_cvae.load_model(run / "best.keras"))
    for value, average, latest in zip(got, averages[best], raw[3 * best + 2], strict=True):
        np.testing.assert_allclose(value, average, atol=1e-6)
        assert not np.array_equal(value, latest)


def weights(model):
    return [np.array(keras.ops.convert_to_numpy(v)) for v in model.trainable_variables]


@pytest.mark.parametrize(
    "given",
    [
        ["--preset", "lab_small", "--recipe", "published", "--accumulate", 2],
        ["--precision", "mixed_bfloat16", "--optimizer", "adamw", "--lr-schedule", "step"],
        ["--partial", 0.5, "--stride", 1, "--clip-length", 4, "--output", "clip", "--clipnorm", 0],
    ],
    ids=lambda given: given[1],
)
def test_other_settings_train(data, tmp_path, given):
    run = tmp_path / "run"
    base = ["--data", data, "--frame-size", *SIZE, "--clip-length", 3, "--batch-size", 2]
    done = run_script("train", *base, *given, "--epochs", 1, "--out", run)
    assert done.code == 0, done.err
    config = json.loads((run / "config.json").read_text())
    for flag, value in zip(given[::2], given[1::2], strict=True):
        assert config[flag[2:].replace("-", "_")] == value
    assert np.isfinite(float(history(run)[0]["loss"]))
    assert f"; arithmetic: {config['precision']}; step compiled: " in done.out
    assert f"device: {device_name()}; " in done.out
    if "--partial" in given:  # 10 frames, one clip a frame, 5 batches of 2
        assert "10 training frames in 5 batches" in done.out


def test_training_starts_from_a_saved_model(data, run, tmp_path):
    flags = ["--data", data, "--frame-size", *SIZE, "--clip-length", 3, "--batch-size", 2]
    flags += ["--epochs", 1, "--lr", 1e-12]  # so that it stays where it began
    done = run_script("train", *flags, "--init", run, "--out", tmp_path / "run")
    assert done.code == 0, done.err
    assert f"weights of {run}" in done.out
    begun, ended = (weights(keras_cvae.load_model(r)) for r in (run, tmp_path / "run"))
    for one, other in zip(begun, ended, strict=True):
        np.testing.assert_allclose(one, other, atol=1e-6)
    other = run_script("train", *flags, "--init", run, "--preset", "lab", "--out", tmp_path / "b")
    message = one_error(other)
    assert "multiscale / 32 / 16 / 8 / 96" in message and "lab / 128 / 32 / 12 / 192" in message
    learned = ["--prior", "learned", "--out", tmp_path / "b"]
    message = one_error(run_script("train", *flags, "--init", run, *learned))
    assert "96 / standard" in message and "96 / learned" in message
    assert "no model at" in one_error(run_script("train", *flags, "--init", tmp_path / "none"))
    assert not (tmp_path / "b").exists()


def test_a_learned_prior_is_trained_resumed_and_evaluated(data, tmp_path):
    flags = ["--data", data, "--frame-size", *SIZE, "--clip-length", 3, "--batch-size", 2]
    run = tmp_path / "run"
    done = run_script("train", *flags, "--epochs", 1, "--prior", "learned", "--out", run)
    assert done.code == 0, done.err
    assert json.loads((run / "config.json").read_text())["prior"] == "learned"
    done = run_script("train", "--resume", run, "--epochs", 2)
    assert done.code == 0, done.err
    assert keras_cvae.load_model(run).architecture.prior == "learned"
    windows = ["--windows", 2, "--horizon", 2, "--samples", 2, "--out", tmp_path / "windows"]
    done = run_script("evaluate", run, *windows)
    assert done.code == 0, done.err
    metrics = json.loads((tmp_path / "windows/metrics.json").read_text())
    assert metrics["val_kl_nats"] > 0 and metrics["val_windows_kl_nats"] > 0
    assert metrics["val_windows_diversity"] > 0


def test_the_cache_is_used(data, tmp_path):
    cache = tmp_path / "cache"
    flags = ["--data", data, "--frame-size", *SIZE, "--clip-length", 3, "--batch-size", 2]
    done = run_script("train", *flags, "--epochs", 1, "--cache", cache, "--out", tmp_path / "run")
    assert done.code == 0, done.err
    assert len(list(cache.glob("*.npy"))) == 3  # one per split


def test_help_is_grouped():
    done = run_script("train", "--help")
    assert done.code == 0
    groups = ["run folder:", "data:", "model:", "training:", "KL annealing and teacher forcing:"]
    at = [done.out.index(f"\n{group}\n") for group in groups]
    assert at == sorted(at)
    for flag in (
        "--out",
        "--resume",
        "--data",
        "--kl-cycles",
        "--tfr-decay-step",
        "--logvar-bound",
        "--init",
    ):
        assert f"\n  {flag} " in done.out


def test_a_run_without_a_name_gets_one(flags, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    done = run_script("train", *flags, "--epochs", 1)
    assert done.code == 0, done.err
    (run,) = (tmp_path / "runs").iterdir()
    assert (run / "metrics.json").exists() and f"run folder: runs/{run.name}" in done.out


def test_nan_ends_with_code_1_and_says_what_to_change(flags, tmp_path):
    run = tmp_path / "run"
    wild = ["--lr", 1e30, "--lr-schedule", "constant", "--clipnorm", 0, "--output", "none"]
    done = run_script("train", *flags, *wild, "--logvar-bound", "none", "--out", run)
    assert done.code == 1
    assert "Training stopped" in done.err and "lower learning rate" in done.err
    assert "Traceback" not in done.err
    assert not (run / "metrics.json").exists()
    if (run / "last.keras").exists():
        assert all(np.isfinite(value).all() for value in states(run / "last.keras").values())
