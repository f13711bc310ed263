import csv
from pathlib import Path

import cv2
import numpy as np
import pytest

from keras_cvae import results
from keras_cvae.data import Video
from keras_cvae.data.synthetic import write_dataset
from keras_cvae.evaluation import Evaluation


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


def test_summary_is_the_mean_over_all_frames():
    short, long = evaluation("a", 3), evaluation("b", 9, seed=1)
    means = results.summary([short, long])
    assert list(means) == ["psnr", "ssim", "first_frame", "mean_frame", "previous_true_frame"]
    assert means["psnr"] == pytest.approx((short.psnr.sum() + long.psnr.sum()) / 10)
    assert means["ssim"] == pytest.approx((short.ssim.sum() + long.ssim.sum()) / 10)
    assert means["mean_frame"] == pytest.approx(
        np.concatenate([short.baselines["mean_frame"], long.baselines["mean_frame"]]).mean()
    )
    assert all(type(value) is float for value in means.values())


def test_without_training_data_there_is_no_mean_frame():
    assert "mean_frame" not in results.summary([evaluation("a", 4, with_mean=False)])


@pytest.mark.parametrize("with_mean", [True, False])
def test_files(tmp_path, with_mean):
    evaluations = [evaluation("a", 5, with_mean), evaluation("b", 7, with_mean, seed=1)]
    written = results.write_evaluation(tmp_path, "val", evaluations, [video("a", 5), video("b", 7)])
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
    results.write_evaluation(*arguments)
    before = {path: path.read_bytes() for path in tmp_path.iterdir()}
    with pytest.raises(ValueError, match="exists"):
        results.write_evaluation(tmp_path, "val", [evaluation("a", 4, seed=9)], [video("a", 4)])
    assert {path: path.read_bytes() for path in tmp_path.iterdir()} == before
    results.write_evaluation(*arguments, overwrite=True)


def test_a_video_of_two_frames(tmp_path):
    results.write_evaluation(tmp_path, "val", [evaluation("a", 2)], [video("a", 2)])
    assert len(list(tmp_path.iterdir())) == 6


def test_the_film_is_cut(tmp_path, monkeypatch):
    monkeypatch.setattr(results, "FILM_FRAMES", 3)
    results.write_evaluation(tmp_path, "val", [evaluation("a", 6)], [video("a", 6)])
    assert len(cv2.imreadanimation(str(tmp_path / "val.gif"))[1].frames) == 3


def test_videos_without_truth_are_left_out(tmp_path):
    lengths = {"train": [2], "val": [2], "test": [3, 4]}
    folder = write_dataset(tmp_path / "dance", (16, 16), frames=lengths)
    videos = results.true_videos(folder, "test", (16, 16))
    assert [len(v.frames) for v in videos] == [3, 4]
    (folder / "test" / "test_truth").rename(folder / "truth")
    assert results.true_videos(folder, "test", (16, 16)) == []
    Path(folder / "test").rename(folder / "other")
    assert results.true_videos(folder, "test", (16, 16)) == []
