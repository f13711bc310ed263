"""Colours, axes and files of all figures. No display is needed."""

import csv
import itertools
import os
from collections.abc import Iterable, Mapping
from pathlib import Path

from matplotlib.axes import Axes
from matplotlib.backends.backend_agg import FigureCanvasAgg
from matplotlib.figure import Figure
from matplotlib.ticker import MaxNLocator

from keras_cvae.errors import UserError
from keras_cvae.files import written_whole

# Okabe and Ito, "Color Universal Design" (2008): also distinct for colour-blind people.
COLOURS = ("#0072B2", "#D55E00", "#009E73", "#CC79A7", "#E69F00", "#56B4E9", "#000000")
STYLES = ("-", "--", "-.", ":", (0, (6, 1, 1, 1, 1, 1)), (0, (1, 2)), (0, (8, 3)))


def save(figure: Figure, path: str | os.PathLike, overwrite: bool) -> Path:
    """Saves a figure as PNG, whole or not at all.

    Args:
        figure: the figure.
        path: the PNG to write; missing folders are made.
        overwrite: whether an existing file is replaced.

    Returns:
        The path.

    Raises:
        UserError: if the path does not end in .png, or the file exists.
    """
    path = Path(path)
    if path.suffix.lower() != ".png":
        raise UserError(f"{path}: the ending is {path.suffix!r}; expected .png.")
    if path.exists() and not overwrite:
        raise UserError(f"{path} exists already; choose another name, or pass overwrite=True.")
    path.parent.mkdir(parents=True, exist_ok=True)
    with written_whole(path) as partial:
        figure.savefig(partial, format="png")
    return path


def save_with_numbers(
    figure: Figure, path: str | os.PathLike, numbers: Mapping[str, Iterable], overwrite: bool
) -> list[Path]:
    """Saves a figure as PNG and as SVG, and its numbers as csv.

    Args:
        figure: the figure.
        path: the PNG to write; the other files have the same name.
        numbers: columns of the csv by name; shorter ones end with empty cells.
        overwrite: whether existing files are replaced.

    Returns:
        The three paths: PNG, SVG, csv.

    Raises:
        UserError: if the path does not end in .png, or one of the files exists.
    """
    path = Path(path)
    others = [path.with_suffix(".svg"), path.with_suffix(".csv")]
    if not overwrite and (there := [other for other in others if other.exists()]):
        raise UserError(f"{there[0]} exists already; choose another name, or pass overwrite=True.")
    save(figure, path, overwrite)
    with written_whole(others[0]) as partial:
        figure.savefig(partial, format="svg")
    with written_whole(others[1]) as partial, open(partial, "w", newline="") as file:
        writer = csv.writer(file)
        writer.writerow(numbers)
        for row in itertools.zip_longest(*numbers.values()):
            writer.writerow(["" if value is None else f"{value:.6g}" for value in row])
    return [path, *others]


def new_figure(width: float, height: float) -> Figure:
    """An empty figure of a size in inches."""
    # Not with pyplot: it keeps every figure in a global list and needs a display.
    figure = Figure(figsize=(width, height), dpi=120, layout="constrained")
    FigureCanvasAgg(figure)
    return figure


def tidy(axes: Axes) -> None:
    """Adds a light grid and removes the frame at the top and at the right."""
    axes.grid(True, color="#DDDDDD", linewidth=0.6)
    axes.set_axisbelow(True)
    axes.spines[["top", "right"]].set_visible(False)


def whole_numbers() -> MaxNLocator:
    """A locator of ticks at whole numbers."""
    return MaxNLocator(integer=True, nbins=7, steps=[1, 2, 5, 10], min_n_ticks=1)
