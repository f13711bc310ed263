"""The figures by strategy: what is drawn, what the csv holds, where the data may come from."""

import csv
import json

import cv2
import numpy as np
import pytest

from keras_cvae import plots
from keras_cvae.plots import strategies


def history(scale=1.0, epochs=4):
    n = np.arange(1, epochs + 1)
    return {
        "loss": scale / n,
        "mse": scale / n**2,
        "kl": scale * n,
        "beta": n / epochs,
        "tfr": 1 / n,
    }


def read(path):
    with open(path, newline="") as file:
        rows = list(csv.DictReader(file))
    return {name: [float(row[name]) for row in rows if row[name]] for name in rows[0]}


def check_files(written):
    png, svg, numbers = written
    image = cv2.imread(str(png))
    assert len(np.unique(image.reshape(-1, 3), axis=0)) > 10
    assert "<svg" in svg.read_text()
    return read(numbers)


def test_teacher_forcing_and_loss(tmp_path):
    columns = check_files(plots.plot_teacher_forcing(history(), tmp_path / "tfr.png"))
    assert columns["epoch"] == [1, 2, 3, 4]
    assert columns["tfr"] == pytest.approx([1, 0.5, 0.333333, 0.25])
    with pytest.raises(ValueError, match="exists"):
        plots.plot_teacher_forcing(history(), tmp_path / "tfr.png")
    with pytest.raises(ValueError, match="no 'loss'; it has epoch, tfr"):
        plots.plot_teacher_forcing({"tfr": [1.0]}, tmp_path / "other.png")


def test_losses_are_means_over_seeds_with_their_spread(tmp_path):
    runs = {"none": [history(1.0), history(3.0)], "cyclical": history(2.0)}
    columns = check_files(plots.plot_losses_by_strategy(runs, tmp_path / "loss.png"))
    assert columns["none_loss"] == pytest.approx([2, 1, 0.666667, 0.5])
    assert columns["none_loss_min"][0] == 1 and columns["none_loss_max"][0] == 3
    assert columns["cyclical_kl"] == [2, 4, 6, 8]
    assert "cyclical_kl_min" not in columns


@pytest.mark.parametrize(("beta", "top"), [(0.001, 0.0011), (0.0, 1.0)])
def test_a_constant_beta_is_drawn_from_zero(tmp_path, monkeypatch, beta, top):
    drawn = []
    monkeypatch.setattr(strategies, "save_with_numbers", lambda figure, *rest: drawn.append(figure))
    plots.plot_beta_by_strategy({"none": {**history(), "beta": np.full(4, beta)}}, "beta.png")
    assert drawn[0].axes[0].get_ylim() == pytest.approx((0, top))


def test_beta_of_runs_of_other_lengths(tmp_path):
    runs = {"none": history(epochs=2), "monotonic": history(epochs=4)}
    columns = check_files(plots.plot_beta_by_strategy(runs, tmp_path / "beta.png"))
    assert columns["epoch"] == [1, 2, 3, 4]
    assert columns["none_beta"] == [0.5, 1] and len(columns["monotonic_beta"]) == 4


def test_psnr_from_run_folders_with_baselines(tmp_path):
    run = tmp_path / "run"
    run.mkdir()
    (run / "val_psnr_per_frame.csv").write_text(
        "video,frame,psnr,ssim,first_frame\na,1,20,1,10\na,2,22,1,11\nb,1,30,1,12\nb,2,32,1,13\n"
    )
    written = plots.plot_psnr_by_strategy(
        {"none": run, "cyclical": [[1.0, 2.0]]}, tmp_path / "p.png"
    )
    columns = check_files(written)
    assert columns["none"] == [25, 27] and columns["first_frame"] == [11, 12]
    assert columns["cyclical"] == [1, 2] and columns["frame"] == [1, 2]


def test_sources(tmp_path):
    import keras

    logged = keras.callbacks.History()
    logged.epoch, logged.history = [0, 1], {"loss": [2.0, 1.0], "beta": [0.0, 1.0]}
    assert list(plots.sources.history_columns(logged)["epoch"]) == [1, 2]
    (tmp_path / "history.csv").write_text("epoch,loss,val_psnr\n1,2.5,\n2,1.5,20\n")
    columns = plots.sources.history_columns(tmp_path)
    assert list(columns["loss"]) == [2.5, 1.5] and np.isnan(columns["val_psnr"][0])
    with pytest.raises(ValueError, match="There is no .*Give a finished run"):
        plots.sources.history_columns(tmp_path / "none")
    with pytest.raises(ValueError, match="no epoch yet"):
        plots.sources.history_columns({"loss": []})


def test_a_strategy_looks_the_same_everywhere_and_no_two_runs_look_alike():
    alone = strategies.styles_of(["cyclical"])
    assert strategies.styles_of(["mine", "none", "cyclical"])["cyclical"] == alone["cyclical"]
    looks = strategies.styles_of(["none", "monotonic", "cyclical", *map(str, range(11))])
    assert len({(look["color"], str(look["linestyle"])) for look in looks.values()}) == 14


def test_runs_say_the_unit_of_their_kl(tmp_path, monkeypatch):
    drawn = []
    monkeypatch.setattr(strategies, "save_with_numbers", lambda figure, *rest: drawn.append(figure))
    folders = {}
    for reduction in ("sum", "mean", None):
        folder = folders[reduction] = tmp_path / str(reduction)
        folder.mkdir()
        columns = history()
        rows = [",".join(map(str, row)) for row in zip(*columns.values(), strict=True)]
        (folder / "history.csv").write_text("\n".join([",".join(columns), *rows]))
        config = {"schedule_epochs": 4, "kl_reduction": reduction}
        (folder / "config.json").write_text(json.dumps(config))
    for shown, label in (
        (["sum", None], "KL, nats per frame"),
        (["mean"], "KL, nats per latent element"),
        (["sum", "mean"], "KL, nats per frame or nats per latent element, by run"),
        ([None], "KL"),
    ):
        plots.plot_losses_by_strategy({"none": [folders[each] for each in shown]}, "losses.png")
        assert drawn.pop().axes[2].get_ylabel() == label
    plots.plot_losses_by_strategy({"none": history()}, "losses.png")
    assert drawn.pop().axes[2].get_ylabel() == "KL"


def test_runs_of_other_videos_are_not_drawn_together(tmp_path):
    with pytest.raises(ValueError, match="runs predict 2 to 3 frames; expected the same number"):
        plots.plot_psnr_by_strategy({"a": [[1.0, 2.0]], "b": [[1.0, 2.0, 3.0]]}, tmp_path / "p.png")
