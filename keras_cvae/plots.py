"""Figures of a run as PNG files: history, PSNR per frame, film strips. Works without a display."""

import os
from collections.abc import Mapping, Sequence
from pathlib import Path

import numpy as np
from matplotlib.axes import Axes
from matplotlib.backends.backend_agg import FigureCanvasAgg
from matplotlib.figure import Figure
from matplotlib.ticker import LogLocator, MaxNLocator, NullFormatter

from keras_cvae.files import written_whole
from keras_cvae.video import error_map, to_uint8

# Okabe and Ito, "Color Universal Design" (2008): told apart by the colour-blind too.
_COLOURS = ("#0072B2", "#D55E00", "#009E73", "#CC79A7", "#E69F00", "#56B4E9", "#000000")
_STYLES = ("-", "--", "-.", ":", (0, (6, 1, 1, 1, 1, 1)), (0, (1, 2)), (0, (8, 3)))
_LONG = 100  # frames from which a curve is drawn light, with a running mean over it


def plot_history(
    history: Mapping[str, Sequence[float]],
    path: str | os.PathLike,
    baselines: Mapping[str, float] | None = None,
    overwrite: bool = False,
) -> Path:
    """Draws what a run has logged, a panel for each quantity.

    Args:
        history: Columns by name: `epoch`, `loss`, `mse`, `kl`, `beta`, `tfr`, `lr`, `val_psnr`. Any
            may be missing; NaN stands for "not measured", as `val_psnr` without validation.
            Without `epoch`, rows are numbered from 1.
        path: The PNG to write.
        baselines: PSNR in dB by name, drawn as level lines beside `val_psnr`.
        overwrite: Whether to replace an existing file.

    Returns:
        The path.

    Raises:
        ValueError: If nothing can be drawn, columns differ in length, or the file exists.
    """
    return _save(_history_figure(history, baselines), path, overwrite)


def plot_psnr_per_frame(
    curves: Mapping[str, Sequence[float]], path: str | os.PathLike, overwrite: bool = False
) -> Path:
    """Draws the PSNR of each predicted frame, a line for each curve, its mean in the legend.

    Args:
        curves: By label, PSNR in dB of the predicted frames, of which the first is 1. Infinite
            values (a frame that is equal to the truth) and NaN are left out of the line and of the
            mean, and the legend says so.
        path: The PNG to write.
        overwrite: Whether to replace an existing file.

    Returns:
        The path.

    Raises:
        ValueError: If there is no curve, one is empty or not 1-D, or the file exists.
    """
    return _save(_psnr_figure(curves), path, overwrite)


def plot_film_strip(
    truth: np.ndarray | None,
    prediction: np.ndarray,
    pose: np.ndarray,
    frame_numbers: Sequence[int],
    path: str | os.PathLike,
    error_gain: float = 4.0,
    overwrite: bool = False,
) -> Path:
    """Draws chosen frames as columns, their truth, prediction, pose and error as rows.

    Args:
        truth: True frames of shape (T, height, width, 3), RGB, uint8 or floats in [0, 1]. None
            leaves out truth and error.
        prediction: Predicted frames, the same shape.
        pose: Pose images, the same shape.
        frame_numbers: Which frames, from 0.
        path: The PNG to write.
        error_gain: Amplification of the error, see `keras_cvae.video.error_map`.
        overwrite: Whether to replace an existing file.

    Returns:
        The path.

    Raises:
        ValueError: If shapes differ, a frame does not exist, or the file exists.
    """
    figure = _film_strip_figure(truth, prediction, pose, frame_numbers, error_gain)
    return _save(figure, path, overwrite)


def _save(figure: Figure, path: str | os.PathLike, overwrite: bool) -> Path:
    path = Path(path)
    if path.suffix.lower() != ".png":
        raise ValueError(f"{path}: the ending is {path.suffix!r}; expected .png.")
    if path.exists() and not overwrite:
        raise ValueError(f"{path} exists already; choose another name, or pass overwrite=True.")
    path.parent.mkdir(parents=True, exist_ok=True)
    with written_whole(path) as partial:
        figure.savefig(partial, format="png")
    return path


def _figure(width: float, height: float) -> Figure:
    # Not through pyplot: it keeps every figure in a global list and asks for a display.
    figure = Figure(figsize=(width, height), dpi=120, layout="constrained")
    FigureCanvasAgg(figure)
    return figure


def _tidy(axes: Axes) -> None:
    axes.grid(True, color="#DDDDDD", linewidth=0.6)
    axes.set_axisbelow(True)
    axes.spines[["top", "right"]].set_visible(False)


def _whole_numbers() -> MaxNLocator:
    return MaxNLocator(integer=True, nbins=7, steps=[1, 2, 5, 10], min_n_ticks=1)


def _history_figure(
    history: Mapping[str, Sequence[float]], baselines: Mapping[str, float] | None = None
) -> Figure:
    columns = {name: np.asarray(values, dtype=float) for name, values in history.items()}
    lengths = {name: values.shape for name, values in columns.items()}
    if len(set(lengths.values())) != 1 or len(next(iter(lengths.values()))) != 1:
        raise ValueError(f"The history's columns have the shapes {lengths}; expected one length.")
    panels = [
        ("Validation PSNR", "dB", ["val_psnr"]),
        ("Training loss", "loss", ["loss"]),
        ("Reconstruction error", "MSE", ["mse"]),
        ("KL divergence", "nats", ["kl"]),
        ("KL weight and teacher forcing", "value", ["beta", "tfr"]),
        ("Learning rate", "learning rate", ["lr"]),
    ]
    panels = [
        (title, unit, [name for name in names if np.isfinite(columns.get(name, [])).any()])
        for title, unit, names in panels
    ]
    panels = [panel for panel in panels if panel[2]]
    if not panels:
        raise ValueError(
            f"The history has the columns {sorted(columns)} and no finite value to draw; "
            "expected some of epoch, loss, mse, kl, beta, tfr, lr, val_psnr."
        )
    count = len(next(iter(columns.values())))
    epochs = columns.get("epoch", np.arange(1, count + 1))

    across = min(3, len(panels))
    down = -(-len(panels) // across)
    figure = _figure(3.6 * across, 2.7 * down)
    for index, (title, unit, names) in enumerate(panels):
        axes = figure.add_subplot(down, across, index + 1)
        for name, colour, style in zip(names, _COLOURS, _STYLES, strict=False):
            _draw_history_line(axes, epochs, columns[name], name, colour, style)
        if names == ["val_psnr"]:
            _draw_baselines(axes, baselines or {})
        elif names == ["lr"]:
            axes.set_ylim(bottom=0)
        elif names[0] in ("beta", "tfr"):
            low, high = axes.get_ylim()
            axes.set_ylim(min(0.0, low), high + 0.2 * (high - low))  # room for the legend
            axes.legend(fontsize=7, loc="upper center", ncols=2)
        else:
            _use_log_scale_where_it_helps(axes, columns[names[0]])
        axes.set_title(title, fontsize=10)
        axes.set_xlabel("epoch", fontsize=9)
        axes.set_ylabel(unit, fontsize=9)
        axes.tick_params(labelsize=8)
        axes.xaxis.set_major_locator(_whole_numbers())
        margin = 0.03 * (epochs[-1] - epochs[0]) or 0.5
        axes.set_xlim(epochs[0] - margin, epochs[-1] + margin)
        _tidy(axes)
    return figure


def _draw_history_line(axes, epochs, values, name, colour, style) -> None:
    label = {"beta": "KL weight (beta)", "tfr": "teacher-forcing ratio"}.get(name, name)
    known = np.isfinite(values)
    values = np.where(known, values, np.nan)
    if name == "val_psnr":
        # Not measured in every epoch: the line bridges the gaps, the dots say where it was.
        epochs, values = epochs[known], values[known]
    few = name == "val_psnr" or known.sum() <= 12
    axes.plot(
        epochs,
        values,
        color=colour,
        linestyle=style,
        linewidth=1.5,
        marker="o" if few else None,
        markersize=3.5,
        label=label,
    )


def _draw_baselines(axes: Axes, baselines: Mapping[str, float]) -> None:
    for (name, level), colour, style in zip(
        baselines.items(), _COLOURS[1:], _STYLES[1:], strict=False
    ):
        if np.isfinite(level):
            text = f"{name.replace('_', ' ')}, {level:.2f}"
            axes.axhline(level, color=colour, linestyle=style, linewidth=1.2, label=text)
    if axes.get_legend_handles_labels()[1][1:]:
        axes.legend(fontsize=7)


def _use_log_scale_where_it_helps(axes: Axes, values: np.ndarray) -> None:
    known = values[np.isfinite(values)]
    if known.min() > 0 and known.max() > 3 * known.min():
        axes.set_yscale("log")
        if known.max() < 30 * known.min():
            axes.yaxis.set_major_locator(LogLocator(subs=(1.0, 2.0, 5.0)))
            axes.yaxis.set_major_formatter(lambda value, _: f"{value:g}")
            axes.yaxis.set_minor_formatter(NullFormatter())


def _psnr_figure(curves: Mapping[str, Sequence[float]]) -> Figure:
    arrays = {label: np.asarray(values, dtype=float) for label, values in curves.items()}
    if not arrays or any(values.ndim != 1 or not values.size for values in arrays.values()):
        shapes = {label: values.shape for label, values in arrays.items()}
        raise ValueError(
            f"Got curves of the shapes {shapes}; expected at least one, all (frames,)."
        )
    longest = max(values.size for values in arrays.values())
    window = max(1, round(longest / 25)) | 1 if longest >= _LONG else 1

    figure = _figure(8.0, 4.4)
    axes = figure.add_subplot()
    for index, (label, values) in enumerate(arrays.items()):
        colour = _COLOURS[index % len(_COLOURS)]
        style = _STYLES[index % len(_STYLES)]
        values = np.where(np.isfinite(values), values, np.nan)
        numbers = np.arange(1, values.size + 1)
        known = values[np.isfinite(values)]
        mean = f"mean {known.mean():.2f} dB" if known.size else "no finite value"
        if 0 < known.size < values.size:
            mean += f" of {known.size} finite"
        if window > 1:
            axes.plot(numbers, values, color=colour, linewidth=0.6, alpha=0.3)
            values = _running_mean(values, window)
        axes.plot(
            numbers,
            values,
            color=colour,
            linestyle=style,
            linewidth=1.8,
            marker="o" if longest == 1 else None,
            label=f"{label}: {mean}",
        )
    axes.set_xlabel("predicted frame")
    axes.set_ylabel("PSNR in dB")
    axes.xaxis.set_major_locator(_whole_numbers())
    margin = max(0.01 * longest, 0.5)
    axes.set_xlim(1 - margin, longest + margin)
    note = f"bold: running mean over {window} frames; light: each frame" if window > 1 else None
    axes.set_title("PSNR of each predicted frame", fontsize=11)
    _tidy(axes)
    # Below the lines: inside, it would hide some of them.
    figure.legend(loc="outside lower center", ncols=2, fontsize=9, title=note, title_fontsize=8)
    return figure


def _running_mean(values: np.ndarray, window: int) -> np.ndarray:
    """Mean over `window` neighbours, NaN left out; fewer at the ends."""
    known = np.isfinite(values)
    ones = np.ones(window)
    total = np.convolve(np.where(known, values, 0.0), ones)
    count = np.convolve(known.astype(float), ones)
    middle = slice(window // 2, window // 2 + values.size)
    with np.errstate(invalid="ignore"):
        return np.where(count[middle] > 0, total[middle] / count[middle], np.nan)


def _film_strip_figure(
    truth: np.ndarray | None,
    prediction: np.ndarray,
    pose: np.ndarray,
    frame_numbers: Sequence[int],
    error_gain: float = 4.0,
) -> Figure:
    named = {"truth": truth, "prediction": prediction, "pose": pose}
    rows = {name: to_uint8(frames) for name, frames in named.items() if frames is not None}
    shapes = {name: frames.shape for name, frames in rows.items()}
    if len(set(shapes.values())) > 1 or rows["pose"].ndim != 4:
        raise ValueError(f"Got {shapes}; expected one shape (T, height, width, 3) for all of them.")
    count, height, width = rows["pose"].shape[:3]
    numbers = [int(number) for number in frame_numbers]
    if not numbers or min(numbers) < 0 or max(numbers) >= count:
        raise ValueError(
            f"frame_numbers={numbers}; expected at least one, each from 0 to {count - 1}."
        )
    rows = {name: frames[numbers] for name, frames in rows.items()}
    if truth is not None:
        rows[f"error x{error_gain:g}"] = error_map(rows["truth"], rows["prediction"], error_gain)

    cell = min(2.2, 12.0 / len(numbers))  # inches across
    figure = _figure(cell * len(numbers) + 0.4, cell * height / width * len(rows) + 0.3)
    figure.get_layout_engine().set(w_pad=0.02, h_pad=0.02, wspace=0.0, hspace=0.0)
    grid = figure.subplots(len(rows), len(numbers), squeeze=False)
    for line, (name, frames) in zip(grid, rows.items(), strict=True):
        for axes, frame in zip(line, frames, strict=True):
            axes.imshow(frame, interpolation="nearest")
            axes.set_xticks([])
            axes.set_yticks([])
            axes.spines[:].set_visible(False)
        line[0].set_ylabel(name, fontsize=9)
    for axes, number in zip(grid[0], numbers, strict=True):
        axes.set_title(f"frame {number}", fontsize=9)
    return figure
