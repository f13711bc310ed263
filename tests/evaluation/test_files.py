import csv

import cv2
import numpy as np
import pytest

from keras_cvae.data import Video
from keras_cvae.evaluation import Evaluation, files


def evaluation(name, length, with_mean=True, seed=0):
    rng = np.random.default_rng(seed)
    curves = {"first_frame": rng.random(length - 1) + 10, "mean_frame": rng.random(length - 1) + 20}
    if not with_mean:
        del curves["mean_frame"]
    curves["previous_true_frame"] = rng.random(length - 1) + 30
    prediction = rng.random((length, 16, 24, 3), dtype="float32")
    return Evaluation(name, prediction, rng.random(length - 1) + 25, rng.random(length - 1), curves)


def video(name, length):
    rng = np.random.default_rng(1)
    images = rng.integers(0, 256, (2, length, 16, 24, 3), dtype=np.uint8)
    return Video(name, *images)


@pytest.mark.parametrize("with_mean", [True, False])
def test_files(tmp_path, with_mean):
    evaluations = [evaluation("a", 5, with_mean), evaluation("b", 7, with_mean, seed=1)]
    written = files.write_evaluation(tmp_path, "val", evaluations, [video("a", 5), video("b", 7)])
    assert sorted(path.name for path in written) == [
        "val.gif",
        "val_film_strip.csv",
        "val_film_strip.png",
        "val_film_strip.svg",
        "val_psnr_per_frame.csv",
        "val_psnr_per_frame.png",
    ]
    assert sorted(tmp_path.iterdir()) == sorted(written)
    with open(tmp_path / "val_psnr_per_frame.csv", newline="") as file:
        rows = list(csv.DictReader(file))
    assert [(row["video"], row["frame"]) for row in rows] == [
        *(("a", str(t)) for t in range(1, 5)),
        *(("b", str(t)) for t in range(1, 7)),
    ]
    for at, e in ((0, evaluations[0]), (4, evaluations[1])):
        for t in range(len(e.psnr)):
            row = {k: float(v) for k, v in rows[at + t].items() if k not in ("video", "frame")}
            expected = {"psnr": e.psnr[t], "ssim": e.ssim[t]}
            expected |= {name: curve[t] for name, curve in e.baselines.items()}
            assert row == pytest.approx(expected, rel=1e-5)
    ok, animation = cv2.imreadanimation(str(tmp_path / "val.gif"))
    assert ok and len(animation.frames) == 5  # the first video
    for name in ("val_film_strip.png", "val_psnr_per_frame.png"):
        assert cv2.imread(str(tmp_path / name)).std() > 1


def test_nothing_is_overwritten_unasked(tmp_path):
    arguments = tmp_path, "val", [evaluation("a", 4)], [video("a", 4)]
    files.write_evaluation(*arguments)
    before = {path: path.read_bytes() for path in tmp_path.iterdir()}
    with pytest.raises(ValueError, match="exists"):
        files.write_evaluation(tmp_path, "val", [evaluation("a", 4, seed=9)], [video("a", 4)])
    assert {path: path.read_bytes() for path in tmp_path.iterdir()} == before
    files.write_evaluation(*arguments, overwrite=True)


def test_a_video_of_two_frames(tmp_path):
    files.write_evaluation(tmp_path, "val", [evaluation("a", 2)], [video("a", 2)])
    assert len(list(tmp_path.iterdir())) == 6


def test_the_gif_is_cut(tmp_path, monkeypatch):
    monkeypatch.setattr(files, "GIF_FRAMES", 3)
    files.write_evaluation(tmp_path, "val", [evaluation("a", 6)], [video("a", 6)])
    assert len(cv2.imreadanimation(str(tmp_path / "val.gif"))[1].frames) == 3


def shown(path):
    done, film = cv2.imreadanimation(str(path))
    assert done
    return film.frames


def test_a_prediction_without_truth(tmp_path, monkeypatch):
    monkeypatch.setattr(files, "GIF_FRAMES", 3)
    one = video("a", 6)
    prediction = evaluation("a", 6).prediction
    path = files.write_prediction(tmp_path, "test", prediction, one._replace(frames=one.frames[:1]))
    assert path == tmp_path / "test.gif"
    frames = shown(path)
    assert len(frames) == 3 and frames[0].shape[1] == 2 * 4 * 24 + 2
    with pytest.raises(ValueError, match="exists"):
        files.write_prediction(tmp_path, "test", prediction, one)


@pytest.mark.parametrize("count", [1, 3])
def test_samples_stand_beside_the_truth(tmp_path, count):
    one = video("a", 6)
    samples = np.stack([255 - one.frames[:4]] * count)
    path = files.write_samples(tmp_path, "val", samples, one)
    assert path.name == "val_samples.gif"
    frames = shown(path)
    step = 4 * 24 + 2
    assert len(frames) == 4 and frames[0].shape[1] == (count + 1) * step - 2
    last = frames[-1][-4 * 16 :, :, 2::-1].astype(int)
    for panel in range(1, count + 1):  # GIFs have few colours
        wanted = samples[0, 3].repeat(4, axis=0).repeat(4, axis=1)
        assert np.abs(last[:, panel * step : panel * step + 96] - wanted).mean() < 20
    assert np.abs(last[:, :96] - one.frames[3].repeat(4, axis=0).repeat(4, axis=1)).mean() < 20


@pytest.mark.parametrize("with_mean", [True, False])
def test_curves_of_windows(tmp_path, monkeypatch, with_mean):
    drawn = {}
    draw = files.plots.plot_psnr_per_frame

    def note(curves, *arguments, **options):
        drawn.update(curves)
        return draw(curves, *arguments, **options)

    monkeypatch.setattr(files.plots, "plot_psnr_per_frame", note)
    names = ["psnr", "ssim", "mean_psnr", "best_psnr", "posterior_psnr", "kl_nats", "first_frame"]
    names += [*(["mean_frame"] if with_mean else []), "previous_true_frame", "ball_error"]
    curves = {name: np.arange(3) + 10.0 * number for number, name in enumerate(names)}
    curves["ball_error"] = np.array([np.nan, 1 / 3, 2])
    written = files.write_windows(tmp_path, "val", curves, 20)
    assert [path.name for path in written] == ["val_windows.csv", "val_windows.png"]
    assert sorted(tmp_path.iterdir()) == sorted(written)
    with open(written[0], newline="") as file:
        rows = list(csv.DictReader(file))
    assert list(rows[0]) == ["frame", *names] and [row["frame"] for row in rows] == ["1", "2", "3"]
    for name, curve in curves.items():
        np.testing.assert_allclose([float(row[name]) for row in rows], curve, rtol=1e-5)
    labels = ["temperature 0", "mean of 20 samples", "best of 20 samples", "posterior's z"]
    labels += ["first frame", *(["mean frame"] if with_mean else []), "previous true frame"]
    assert list(drawn) == labels
    assert drawn["best of 20 samples"] is curves["best_psnr"]
    assert cv2.imread(str(written[1])).std() > 1
    with pytest.raises(ValueError, match=r"val_windows.csv exists already"):
        files.write_windows(tmp_path, "val", curves, 20)
    files.write_windows(tmp_path, "val", curves, 20, overwrite=True)
