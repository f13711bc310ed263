"""The figure of the cost against sizes: a log-log panel for each axis, and the memory."""

import os
from collections.abc import Sequence
from pathlib import Path

import numpy as np
from matplotlib.axes import Axes
from matplotlib.ticker import LogLocator

from benchmarking import sizes
from benchmarking.growth import exponent
from keras_cvae.errors import UserError
from keras_cvae.plots import style


def plot_sizes(rows: Sequence[dict], path: str | os.PathLike) -> Path:
    """Plots seconds per step against each size, and resident memory over a long prediction.

    A dashed line has the slope 1: a cost parallel to it is linear.

    Args:
        rows: dicts as from `sizes.run_sizes`.
        path: the new PNG to write.

    Returns:
        The path.

    Raises:
        UserError: if there is nothing to plot, or the file exists.
    """
    axes = [axis for axis in (*sizes.AXES, sizes.MEMORY) if any(r["axis"] == axis for r in rows)]
    if not axes:
        raise UserError("There are no rows to plot; expected at least one axis of sizes.")
    across = min(3, len(axes))
    down = -(-len(axes) // across)
    figure = style.new_figure(3.8 * across, 3.2 * down)
    for index, axis in enumerate(axes):
        panel = figure.add_subplot(down, across, index + 1)
        if axis == sizes.MEMORY:
            _draw_memory(panel, [row for row in rows if row["axis"] == axis])
        else:
            _draw_cost(panel, [row for row in rows if row["axis"] == axis], sizes.AXES[axis])
        panel.tick_params(labelsize=8)
        style.tidy(panel)
    return style.save(figure, path, overwrite=False)


def _draw_cost(panel: Axes, rows: Sequence[dict], what: str) -> None:
    values = np.array([row["value"] for row in rows], float)
    seconds, low, high = (
        np.array([row[key] for row in rows]) for key in ("seconds", "seconds_min", "seconds_max")
    )
    panel.errorbar(
        values,
        seconds,
        yerr=[seconds - low, high - seconds],
        color=style.COLOURS[0],
        marker="o",
        markersize=4,
        capsize=2,
        label=f"measured, power {exponent(list(values), list(seconds)):.2f}",
    )
    # Through the last point: a cost is linear at large sizes first.
    slope = seconds[-1] * values / values[-1]
    panel.plot(values, slope, color="#888888", linestyle="--", linewidth=1, label="linear")
    panel.set_xscale("log")
    panel.set_yscale("log")
    panel.set_xticks(values, [f"{value:g}" for value in values])
    panel.minorticks_off()
    panel.yaxis.set_major_locator(LogLocator(subs=(1.0, 2.0, 5.0)))
    panel.yaxis.set_major_formatter(lambda value, _: f"{value:g}")
    panel.set_xlabel(what, fontsize=9)
    panel.set_ylabel("seconds per training step", fontsize=9)
    panel.legend(fontsize=7)


def _draw_memory(panel: Axes, rows: Sequence[dict]) -> None:
    known = [row for row in rows if row["resident_mb"] is not None]
    panel.plot(
        [row["value"] for row in known],
        [row["resident_mb"] for row in known],
        color=style.COLOURS[1],
        marker="o",
        markersize=3,
    )
    panel.set_ylim(0, 1.2 * max((row["resident_mb"] for row in known), default=1))
    panel.set_xlabel("predicted frames of a video", fontsize=9)
    panel.set_ylabel("resident memory, MB", fontsize=9)
