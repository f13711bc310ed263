"""What figures share: colours, axes, saving. Works without a display."""

import csv
import itertools
import os
from collections.abc import Mapping, Sequence
from pathlib import Path

from matplotlib.axes import Axes
from matplotlib.backends.backend_agg import FigureCanvasAgg
from matplotlib.figure import Figure
from matplotlib.ticker import MaxNLocator

from keras_cvae.errors import UserError
from keras_cvae.files import written_whole

# Okabe and Ito, "Color Universal Design" (2008): told apart by the colour-blind too.
COLOURS = ("#0072B2", "#D55E00", "#009E73", "#CC79A7", "#E69F00", "#56B4E9", "#000000")
STYLES = ("-", "--", "-.", ":", (0, (6, 1, 1, 1, 1, 1)), (0, (1, 2)), (0, (8, 3)))


def save(figure: Figure, path: str | os.PathLike, overwrite: bool) -> Path:
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
    figure: Figure, path: str | os.PathLike, numbers: Mapping[str, Sequence], overwrite: bool
) -> list[Path]:
    """Saves a figure as PNG, beside it as SVG, and what it shows as csv.

    Args:
        figure: The figure.
        path: The PNG.
        numbers: Columns of the csv by name; shorter ones end with empty cells.
        overwrite: Whether to replace existing files.

    Returns:
        The three paths.

    Raises:
        UserError: If the path is no PNG's or one of the files exists.
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
    # Not through pyplot: it keeps every figure in a global list and asks for a display.
    figure = Figure(figsize=(width, height), dpi=120, layout="constrained")
    FigureCanvasAgg(figure)
    return figure


def tidy(axes: Axes) -> None:
    axes.grid(True, color="#DDDDDD", linewidth=0.6)
    axes.set_axisbelow(True)
    axes.spines[["top", "right"]].set_visible(False)


def whole_numbers() -> MaxNLocator:
    return MaxNLocator(integer=True, nbins=7, steps=[1, 2, 5, 10], min_n_ticks=1)
