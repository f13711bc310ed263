"""The figures of the published report: strategies of KL annealing compared.

Most functions take runs by strategy: a dict name -> list of sources, one per seed (or a single
source), see `keras_cvae.plots.sources`. Each writes a PNG, an SVG and the numbers as csv. Lines are
the mean over the seeds; a band reaches from the smallest value to the largest.
"""

import os
from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np
from matplotlib.axes import Axes

from keras_cvae.errors import UserError
from keras_cvae.plots.history import kl_label, shown, use_log_scale_where_it_helps
from keras_cvae.plots.psnr_per_frame import running_mean, window_for
from keras_cvae.plots.sources import history_columns, kl_units, psnr_columns
from keras_cvae.plots.style import (
    COLOURS,
    STYLES,
    new_figure,
    save_with_numbers,
    tidy,
    whole_numbers,
)

_KNOWN = ("none", "monotonic", "cyclical")  # the same colour in every figure


def plot_teacher_forcing(
    source: Any, path: str | os.PathLike, overwrite: bool = False
) -> list[Path]:
    """Draws the loss and the teacher-forcing ratio of one run, one above the other.

    Args:
        source: a history, see `keras_cvae.plots.sources.history_columns`.
        path: the PNG to write.
        overwrite: whether existing files are replaced.

    Returns:
        The three paths: PNG, SVG, csv.

    Raises:
        UserError: if the history has no `tfr` or no `loss`, or a file exists.
    """
    columns = history_columns(source)
    figure = new_figure(6.0, 5.0)
    upper, lower = figure.subplots(2, 1, sharex=True)
    for axes, name, label in ((upper, "loss", "loss"), (lower, "tfr", "teacher-forcing ratio")):
        colour = COLOURS[0] if name == "loss" else COLOURS[1]
        values = _column(columns, name)
        axes.plot(columns["epoch"], shown(values), color=colour, linewidth=1.8)
        axes.set_ylabel(label)
        tidy(axes)
    use_log_scale_where_it_helps(upper, columns["loss"])
    lower.set_ylim(-0.05, 1.05)
    _epoch_axis(lower)
    upper.set_title("Teacher forcing and loss", fontsize=11)
    numbers = {name: columns[name] for name in ("epoch", "loss", "tfr")}
    return save_with_numbers(figure, path, numbers, overwrite)


def plot_losses_by_strategy(
    runs: Mapping[str, Any], path: str | os.PathLike, overwrite: bool = False
) -> list[Path]:
    """Draws loss, MSE and KL by epoch, one line per strategy.

    The axis of the KL names its unit where the sources are run folders.

    Args:
        runs: strategy -> list of histories, see `keras_cvae.plots.sources.history_columns`.
        path, overwrite: as for `plot_teacher_forcing`.

    Returns:
        The three paths: PNG, SVG, csv.

    Raises:
        UserError: if a history lacks a column, or a file exists.
    """
    units = kl_units(source for of in runs.values() for source in _as_list(of))
    label = kl_label(units[0]) if len(units) == 1 else f"KL, {' or '.join(units)}, by run"
    panels = (("loss", "loss"), ("mse", "MSE"), ("kl", label if units else "KL"))
    return _by_epoch(runs, panels, "Training by strategy of KL annealing", path, overwrite)


def plot_beta_by_strategy(
    runs: Mapping[str, Any], path: str | os.PathLike, overwrite: bool = False
) -> list[Path]:
    """Draws beta by epoch, one line per strategy; see `plot_losses_by_strategy`."""
    panels = (("beta", "KL weight beta"),)
    return _by_epoch(runs, panels, "KL annealing", path, overwrite)


def plot_psnr_by_strategy(
    runs: Mapping[str, Any], path: str | os.PathLike, overwrite: bool = False
) -> list[Path]:
    """Draws the PSNR of each predicted validation frame by strategy, and copy-frame baselines.

    Args:
        runs: strategy -> list of sources, see `keras_cvae.plots.sources.psnr_columns`. The
            baselines are those of the first source.
        path, overwrite: as for `plot_teacher_forcing`.

    Returns:
        The three paths: PNG, SVG, csv.

    Raises:
        UserError: if a source does not exist or holds something else, the runs differ in the number
            of frames, or a file exists.
    """
    curves = {name: [psnr_columns(one) for one in _as_list(of)] for name, of in runs.items()}
    baselines = next(iter(curves.values()))[0].keys() - {"psnr"}
    lengths = {len(columns["psnr"]) for of in curves.values() for columns in of}
    if len(lengths) != 1:
        raise UserError(
            f"The runs predict {min(lengths)} to {max(lengths)} frames; expected the same number, "
            "of the same videos. Compare runs on the same data."
        )
    looks = styles_of(runs)
    figure = new_figure(8.0, 4.6)
    axes = figure.add_subplot()
    numbers: dict[str, np.ndarray] = {}
    for name, of in curves.items():
        values = np.stack([shown(columns["psnr"]) for columns in of])
        numbers.setdefault("frame", np.arange(1, values.shape[1] + 1))
        _band(axes, numbers["frame"], values, name, looks[name], smooth=True)
        numbers |= _numbers(name, values)
    for index, name in enumerate(sorted(baselines)):
        values = shown(next(iter(curves.values()))[0][name])
        label = f"{name.replace('_', ' ')} copied: mean {values.mean():.2f} dB"
        smooth = running_mean(values, window_for(values.size))
        axes.plot(
            numbers["frame"], smooth, color="#888888", linestyle=STYLES[index + 1], label=label
        )
        numbers[name] = values
    axes.set_xlabel("predicted frame")
    axes.set_ylabel("PSNR in dB")
    axes.set_title("PSNR of each predicted validation frame", fontsize=11)
    axes.xaxis.set_major_locator(whole_numbers())
    tidy(axes)
    window = window_for(len(numbers["frame"]))
    note = f"running mean over {window} frames" if window > 1 else None
    figure.legend(loc="outside lower center", ncols=2, fontsize=9, title=note, title_fontsize=8)
    return save_with_numbers(figure, path, numbers, overwrite)


def styles_of(names: Iterable[str]) -> dict[str, dict[str, Any]]:
    """Colour and line style by name. A strategy has the same ones in every figure.

    Other names get the remaining colours in their order, and then new pairs of colour and style.

    Args:
        names: of the lines of a figure, strategies or others.

    Returns:
        dict name -> the arguments `color` and `linestyle` of matplotlib.
    """
    names = list(names)
    left = list(zip(COLOURS, STYLES, strict=True))[len(_KNOWN) :]
    shifted = STYLES[1:] + STYLES[:1]
    left += list(zip(COLOURS, shifted, strict=True))
    others = [name for name in names if name not in _KNOWN]
    pairs: dict[str, Any] = dict(zip(_KNOWN, zip(COLOURS, STYLES, strict=True), strict=False))
    pairs |= {name: left[index % len(left)] for index, name in enumerate(others)}
    return {name: {"color": pairs[name][0], "linestyle": pairs[name][1]} for name in names}


def _by_epoch(
    runs: Mapping[str, Any],
    panels: Sequence[tuple[str, str]],
    title: str,
    path: str | os.PathLike,
    overwrite: bool,
) -> list[Path]:
    histories = {name: [history_columns(one) for one in _as_list(of)] for name, of in runs.items()}
    looks = styles_of(runs)
    figure = new_figure(4.2 * len(panels) + 0.6, 3.6)
    grid = figure.subplots(1, len(panels), squeeze=False)[0]
    numbers: dict[str, np.ndarray] = {}
    for axes, (column, label) in zip(grid, panels, strict=True):
        drawn = []
        for name, of in histories.items():
            length = min(len(columns["epoch"]) for columns in of)
            values = np.stack([shown(_column(columns, column)[:length]) for columns in of])
            epochs = of[0]["epoch"][:length]
            _band(axes, epochs, values, name, looks[name])
            if len(epochs) >= len(numbers.get("epoch", ())):
                numbers["epoch"] = epochs
            numbers |= _numbers(f"{name}_{column}", values)
            drawn.append(values.ravel())
        axes.set_ylabel(label)
        _epoch_axis(axes)
        if column == "beta":  # from 0: otherwise rounding of a constant beta would fill the axis
            top = np.nanmax([0.0, *np.concatenate(drawn)])
            axes.set_ylim(0, 1.1 * top or 1)
        else:
            use_log_scale_where_it_helps(axes, np.concatenate(drawn))
        tidy(axes)
    handles, labels = grid[0].get_legend_handles_labels()
    figure.legend(handles, labels, loc="outside lower center", ncols=3, fontsize=9)
    figure.suptitle(title, fontsize=11)
    return save_with_numbers(figure, path, numbers, overwrite)


def _band(
    axes: Axes,
    x: np.ndarray,
    values: np.ndarray,
    name: str,
    style: dict[str, Any],
    smooth: bool = False,
) -> None:
    """Draws the mean over the seeds as a line, and a band from the smallest to the largest."""
    label = name
    if smooth:
        label = f"{name}: mean {values.mean():.2f} dB"
        values = np.stack([running_mean(each, window_for(each.size)) for each in values])
    marker = "o" if len(x) == 1 else None
    axes.plot(x, values.mean(axis=0), linewidth=1.8, label=label, marker=marker, **style)
    if len(values) > 1:
        low, high = values.min(axis=0), values.max(axis=0)
        axes.fill_between(x, low, high, color=style["color"], alpha=0.15, linewidth=0)


def _numbers(name: str, values: np.ndarray) -> dict[str, np.ndarray]:
    if len(values) == 1:
        return {name: values[0]}
    return {
        name: values.mean(axis=0),
        f"{name}_min": values.min(axis=0),
        f"{name}_max": values.max(axis=0),
    }


def _epoch_axis(axes: Axes) -> None:
    axes.set_xlabel("epoch")
    axes.xaxis.set_major_locator(whole_numbers())


def _column(columns: dict[str, np.ndarray], name: str) -> np.ndarray:
    if name not in columns:
        raise UserError(f"The history has no {name!r}; it has {', '.join(sorted(columns))}.")
    return columns[name]


def _as_list(sources: Any) -> list:
    return sources if isinstance(sources, list) else [sources]
