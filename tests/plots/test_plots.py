import subprocess
import sys

import cv2
import numpy as np
import pytest

from keras_cvae.plots import KL_UNITS, plot_film_strip, plot_history, plot_psnr_per_frame
from keras_cvae.plots.film_strip import _film_strip_figure
from keras_cvae.plots.history import _history_figure
from keras_cvae.plots.psnr_per_frame import _psnr_figure

NAN, INF = float("nan"), float("inf")


def history(epochs=6):
    n = np.arange(1, epochs + 1)
    return {
        "epoch": n,
        "loss": 2.0 * 0.5**n,
        "mse": 0.1 * 0.5**n,
        "kl": 3.0 + n,
        "beta": n / epochs,
        "tfr": 1 - n / epochs,
        "lr": 1e-3 / n,
        "val_psnr": np.where(n % 2 == 0, 20.0 + n, NAN),
    }


def panels(figure):
    return {axes.get_title(): axes for axes in figure.axes}


def check_png(path, figure):
    picture = cv2.imread(str(path))
    width, height = figure.canvas.get_width_height()
    assert abs(picture.shape[0] - height) <= 1 and abs(picture.shape[1] - width) <= 1
    assert picture.std() > 5
    return picture


def test_history_draws_every_column_where_it_belongs():
    data = history()
    drawn = panels(_history_figure(data))
    assert list(drawn) == [
        "Validation PSNR",
        "Training loss",
        "Reconstruction error",
        "KL divergence",
        "KL weight and teacher forcing",
        "Learning rate",
    ]
    for title, name in [
        ("Training loss", "loss"),
        ("KL divergence", "kl"),
        ("Learning rate", "lr"),
    ]:
        (line,) = drawn[title].lines
        assert np.array_equal(line.get_xdata(), data["epoch"])
        assert np.array_equal(line.get_ydata(), data[name])
        assert drawn[title].get_xlabel() == "epoch" and drawn[title].get_ylabel()
    both = drawn["KL weight and teacher forcing"].lines
    assert [list(line.get_ydata()) for line in both] == [list(data["beta"]), list(data["tfr"])]
    assert both[0].get_color() != both[1].get_color()
    assert both[0].get_linestyle() != both[1].get_linestyle()
    assert drawn["Training loss"].get_yscale() == "log"
    assert drawn["KL divergence"].get_yscale() == "linear"  # spans less than a factor of three


def test_history_dots_the_validated_epochs_and_shows_baselines():
    baselines = {"first_frame": 19.5, "mean_frame": 21.25, "broken": INF, "null": None}
    axes = panels(_history_figure(history(), baselines))["Validation PSNR"]
    psnr, first, mean = axes.lines
    assert list(psnr.get_xdata()) == [2, 4, 6] and list(psnr.get_ydata()) == [22, 24, 26]
    assert psnr.get_marker() == "o"
    assert [line.get_ydata()[0] for line in (first, mean)] == [19.5, 21.25]
    words = [text.get_text() for text in axes.get_legend().get_texts()]
    assert words == ["val_psnr", "first frame, 19.50", "mean frame, 21.25"]


def test_history_survives_gaps_infinities_and_single_epochs(tmp_path):
    data = history()
    data["loss"] = np.array([1.0, NAN, INF, 0.5, -0.1, 0.2])
    figure = _history_figure(data)
    line = panels(figure)["Training loss"].lines[0]
    assert np.isnan(line.get_ydata()).tolist() == [False, True, True, False, False, False]
    assert panels(figure)["Training loss"].get_yscale() == "linear"  # not all positive
    plot_history(data, tmp_path / "gaps.png")
    plot_history(history(1) | {"beta": [0.0]}, tmp_path / "one.png")
    one = panels(_history_figure(history(1)))
    assert "Validation PSNR" not in one  # nothing was validated
    assert all(line.get_marker() == "o" for axes in one.values() for line in axes.lines)
    first, last = one["Training loss"].get_xlim()
    assert first < 1 < last
    assert [tick for tick in one["Training loss"].get_xticks() if first < tick < last] == [1]


@pytest.mark.parametrize("reduction", ["sum", "mean", None])
def test_the_unit_of_the_kl_is_named(reduction):
    unit = KL_UNITS.get(reduction)
    label = panels(_history_figure(history(), kl_unit=unit))["KL divergence"].get_ylabel()
    expected = {"sum": "KL, nats per frame", "mean": "KL, nats per latent element"}
    assert label == expected.get(reduction, "KL")


def test_history_takes_what_there_is():
    only = _history_figure({"loss": [3.0, 2.0]})
    assert list(panels(only)) == ["Training loss"]
    assert list(only.axes[0].lines[0].get_xdata()) == [1, 2]


@pytest.mark.parametrize(
    ("data", "what"),
    [
        ({}, "length"),
        ({"loss": [1, 2], "mse": [1]}, "length"),
        ({"loss": [NAN]}, "finite"),
        ({"loss": [1, 2], "epoch": [1, NAN]}, "epochs must be finite numbers; got nan"),
    ],
)
def test_history_says_what_is_wrong(data, what):
    with pytest.raises(ValueError, match=what):
        _history_figure(data)


def test_history_picture_shows_its_data(tmp_path):
    assert plot_history(history(), tmp_path / "new" / "a.png") == tmp_path / "new" / "a.png"
    first = check_png(tmp_path / "new" / "a.png", _history_figure(history()))
    plot_history(history() | {"loss": np.linspace(9, 1, 6)}, tmp_path / "b.png")
    assert not np.array_equal(first, cv2.imread(str(tmp_path / "b.png")))


def test_psnr_draws_each_curve_from_frame_one(tmp_path):
    curves = {"prediction": [30.0, 28.0, 26.0], "first frame": [25.0, INF, 23.0], "bad": [NAN] * 3}
    figure = _psnr_figure(curves)
    lines = figure.axes[0].lines
    assert [list(line.get_xdata()) for line in lines] == [[1, 2, 3]] * 3
    assert list(lines[0].get_ydata()) == [30, 28, 26]
    assert np.isnan(lines[1].get_ydata()).tolist() == [False, True, False]
    words = [text.get_text() for text in figure.legends[0].get_texts()]
    assert words == [
        "prediction: mean 28.00 dB",
        "first frame: mean 24.00 dB of 2 finite",
        "bad: no finite value",
    ]
    assert len({line.get_color() for line in lines}) == 3
    assert len({line.get_linestyle() for line in lines}) == 3
    plot_psnr_per_frame(curves, tmp_path / "a.png")
    first = check_png(tmp_path / "a.png", figure)
    plot_psnr_per_frame(curves | {"prediction": [30.0, 28.0, 27.0]}, tmp_path / "b.png")
    assert not np.array_equal(first, cv2.imread(str(tmp_path / "b.png")))


def test_long_psnr_curves_get_a_running_mean():
    values = 25 + np.random.default_rng(0).normal(0, 1, 629)
    values[100] = NAN
    figure = _psnr_figure({"prediction": values})
    raw, mean = figure.axes[0].lines
    assert np.array_equal(raw.get_ydata(), values, equal_nan=True) and raw.get_alpha() < 0.5
    assert mean.get_ydata().size == 629 and np.nanstd(mean.get_ydata()) < 0.5 * np.nanstd(values)
    assert mean.get_ydata()[300] == pytest.approx(values[288:313].mean())
    assert mean.get_ydata()[0] == pytest.approx(values[:13].mean())
    assert mean.get_ydata()[100] == pytest.approx(np.nanmean(values[88:113]))
    assert "running mean over 25 frames" in figure.legends[0].get_title().get_text()


@pytest.mark.parametrize("curves", [{}, {"a": []}, {"a": [[1.0, 2.0]]}])
def test_psnr_says_what_is_wrong(curves):
    with pytest.raises(ValueError, match="curves"):
        _psnr_figure(curves)


def test_film_strip_shows_the_chosen_frames(tmp_path):
    rng = np.random.default_rng(0)
    truth, prediction, pose = rng.integers(0, 256, (3, 5, 8, 16, 3), np.uint8)
    figure = _film_strip_figure(truth, prediction.astype("float32") / 255, pose, [0, 3], 2)
    shown = [axes.images[0].get_array() for axes in figure.axes]
    wanted = [truth[0], truth[3], prediction[0], prediction[3], pose[0], pose[3]]
    assert len(shown) == 8
    assert all(np.array_equal(a, b) for a, b in zip(shown, wanted, strict=False))
    assert [axes.get_title() for axes in figure.axes[:2]] == ["frame 0", "frame 3"]
    assert [axes.get_ylabel() for axes in figure.axes[::2]] == [
        "truth",
        "prediction",
        "pose",
        "error x2",
    ]
    written = plot_film_strip(truth, prediction, pose, [0, 3], tmp_path / "a.png", error_gain=2)
    assert [path.name for path in written] == ["a.png", "a.svg", "a.csv"]
    check_png(tmp_path / "a.png", figure)
    assert "<image" in (tmp_path / "a.svg").read_text()
    mse = np.mean((truth[3] / 255.0 - prediction[3] / 255.0) ** 2)
    rows = (tmp_path / "a.csv").read_text().split()
    assert rows[0] == "frame,psnr" and rows[1].startswith("0,")
    assert float(rows[2].split(",")[1]) == pytest.approx(-10 * np.log10(mse), rel=1e-5)
    blind = _film_strip_figure(None, prediction, pose, [4])
    assert [axes.get_ylabel() for axes in blind.axes] == ["prediction", "pose"]


@pytest.mark.parametrize(("numbers", "count"), [([5], 5), ([-1], 5), ([], 5), ([0], 4)])
def test_film_strip_says_what_is_wrong(numbers, count):
    frames = np.zeros((5, 8, 8, 3), np.uint8)
    with pytest.raises(ValueError, match=r"frame_numbers|shape"):
        _film_strip_figure(frames, frames[:count], frames, numbers)


def test_pictures_are_replaced_only_when_asked(tmp_path):
    path = tmp_path / "a.png"
    plot_history(history(), path)
    before = path.read_bytes()
    with pytest.raises(ValueError, match="overwrite=True"):
        plot_history(history(3), path)
    assert path.read_bytes() == before
    plot_history(history(3), path, overwrite=True)
    assert path.read_bytes() != before
    assert list(tmp_path.iterdir()) == [path]
    with pytest.raises(ValueError, match=r"\.png"):
        plot_history(history(), tmp_path / "a.pdf")


def test_no_pyplot_and_no_display_are_needed(tmp_path):
    code = (
        "import sys; from keras_cvae.plots import plot_history\n"
        "plot_history({'loss': [2.0, 1.0]}, sys.argv[1])\n"
        "assert 'matplotlib.pyplot' not in sys.modules and 'keras' not in sys.modules\n"
    )
    done = subprocess.run([sys.executable, "-c", code, tmp_path / "a.png"], capture_output=True)
    assert done.returncode == 0, done.stderr.decode()
