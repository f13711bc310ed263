"""The logged values of a run by epoch."""

import os
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np
from matplotlib.axes import Axes
from matplotlib.ticker import LogLocator, NullFormatter

from keras_cvae.errors import UserError
from keras_cvae.plots.style import COLOURS, STYLES, new_figure, save, tidy, whole_numbers

# What `kl` is measured in, by the model's `kl_reduction`.
KL_UNITS = {"sum": "nats per frame", "mean": "nats per latent element"}
_LARGEST = 1e100  # what is larger is drawn as little as infinity: an axis could not show it


def plot_history(
    history: Mapping[str, Sequence[float]],
    path: str | os.PathLike,
    baselines: Mapping[str, float | None] | None = None,
    overwrite: bool = False,
    kl_unit: str | None = None,
) -> Path:
    """Draws the logged values of a run, one panel per quantity.

    Args:
        history: columns by name: `epoch`, `loss`, `mse`, `kl`, `beta`, `tfr`, `lr`, `val_psnr`. Any
            may be missing. NaN means "not measured", such as `val_psnr` of an epoch without
            validation. Without `epoch`, rows count from 1.
        path: the PNG to write.
        baselines: PSNR in dB by name, drawn as horizontal lines in the panel of `val_psnr`; `None`
            is not drawn.
        overwrite: whether an existing file is replaced.
        kl_unit: what `kl` is measured in, such as `KL_UNITS["sum"]`; `None` names no unit.

    Returns:
        The path.

    Raises:
        UserError: if there is nothing to draw, columns differ in length, an epoch is no number, or
            the file exists.
    """
    return save(_history_figure(history, baselines, kl_unit), path, overwrite)


def kl_label(unit: str | None) -> str:
    """The label of an axis that shows KL in a unit, or in one that is not known (`None`)."""
    return "KL" if unit is None else f"KL, {unit}"


def _history_figure(history, baselines=None, kl_unit=None):
    columns = {name: shown(values) for name, values in history.items()}
    lengths = {name: values.shape for name, values in columns.items()}
    if len(set(lengths.values())) != 1 or len(next(iter(lengths.values()))) != 1:
        raise UserError(f"The history's columns have the shapes {lengths}; expected one length.")
    panels = [
        ("Validation PSNR", "dB", ["val_psnr"]),
        ("Training loss", "loss", ["loss"]),
        ("Reconstruction error", "MSE", ["mse"]),
        ("KL divergence", kl_label(kl_unit), ["kl"]),
        ("KL weight and teacher forcing", "value", ["beta", "tfr"]),
        ("Learning rate", "learning rate", ["lr"]),
    ]
    panels = [
        (title, unit, [name for name in names if np.isfinite(columns.get(name, [])).any()])
        for title, unit, names in panels
    ]
    panels = [panel for panel in panels if panel[2]]
    if not panels:
        raise UserError(
            f"The history has the columns {sorted(columns)} and no finite value to draw; "
            "expected some of epoch, loss, mse, kl, beta, tfr, lr, val_psnr."
        )
    count = len(next(iter(columns.values())))
    epochs = columns.get("epoch", np.arange(1, count + 1))
    if not np.isfinite(epochs).all():
        raise UserError(
            f"The history's epochs must be finite numbers; got {epochs.min():g} to "
            f"{epochs.max():g}. Leave the column out to count from 1."
        )

    across = min(3, len(panels))
    down = -(-len(panels) // across)
    figure = new_figure(3.6 * across, 2.7 * down)
    for index, (title, unit, names) in enumerate(panels):
        axes = figure.add_subplot(down, across, index + 1)
        for name, colour, style in zip(names, COLOURS, STYLES, strict=False):
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
            use_log_scale_where_it_helps(axes, columns[names[0]])
        axes.set_title(title, fontsize=10)
        axes.set_xlabel("epoch", fontsize=9)
        axes.set_ylabel(unit, fontsize=9)
        axes.tick_params(labelsize=8)
        axes.xaxis.set_major_locator(whole_numbers())
        margin = 0.03 * (epochs[-1] - epochs[0]) or 0.5
        axes.set_xlim(epochs[0] - margin, epochs[-1] + margin)
        tidy(axes)
    return figure


def _draw_history_line(
    axes: Axes, epochs: np.ndarray, values: np.ndarray, name: str, colour: str, style: Any
) -> None:
    label = {"beta": "KL weight (beta)", "tfr": "teacher-forcing ratio"}.get(name, name)
    known = np.isfinite(values)
    if name == "val_psnr":
        # Not measured in every epoch: the dots are the measurements, the line connects them.
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


def _draw_baselines(axes: Axes, baselines: Mapping[str, float | None]) -> None:
    for (name, level), colour, style in zip(
        baselines.items(), COLOURS[1:], STYLES[1:], strict=False
    ):
        if level is not None and np.isfinite(level):
            text = f"{name.replace('_', ' ')}, {level:.2f}"
            axes.axhline(level, color=colour, linestyle=style, linewidth=1.2, label=text)
    if axes.get_legend_handles_labels()[1][1:]:
        axes.legend(fontsize=7)


def shown(values: Any) -> np.ndarray:
    """The values that an axis can show; NaN in place of infinite and huge ones.

    Args:
        values: floats of any shape.
    """
    values = np.asarray(values, dtype=float)
    return np.where(np.abs(values) < _LARGEST, values, np.nan)


def use_log_scale_where_it_helps(axes: Axes, values: np.ndarray) -> None:
    """Makes the y axis logarithmic if values are positive and their range is more than threefold.

    Args:
        axes: with the values already drawn.
        values: (N,); NaN is ignored.
    """
    known = values[np.isfinite(values)]
    if known.size and known.min() > 0 and known.max() > 3 * known.min():
        axes.set_yscale("log")
        if known.max() < 30 * known.min():
            axes.yaxis.set_major_locator(LogLocator(subs=(1.0, 2.0, 5.0)))
            axes.yaxis.set_major_formatter(lambda value, _: f"{value:g}")
            axes.yaxis.set_minor_formatter(NullFormatter())
