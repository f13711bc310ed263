"""PSNR against the number of the predicted frame."""

import os
from collections.abc import Mapping, Sequence
from pathlib import Path

import numpy as np

from keras_cvae.errors import UserError
from keras_cvae.plots.style import COLOURS, STYLES, new_figure, save, tidy, whole_numbers

_LONG = 100  # frames from which a curve is light, with its running mean in bold


def plot_psnr_per_frame(
    curves: Mapping[str, Sequence[float]], path: str | os.PathLike, overwrite: bool = False
) -> Path:
    """Draws the PSNR of each predicted frame: one line per curve, with its mean in the legend.

    Args:
        curves: label -> (T-1,) PSNR in dB of frames 1..T-1. Infinite values (a frame equal to the
            truth) and NaN are left out of the line and the mean; the legend then has the number of
            finite values.
        path: the PNG to write.
        overwrite: whether an existing file is replaced.

    Returns:
        The path.

    Raises:
        UserError: if there is no curve, one is empty or not 1-D, or the file exists.
    """
    return save(_psnr_figure(curves), path, overwrite)


def _psnr_figure(curves):
    arrays = {label: np.asarray(values, dtype=float) for label, values in curves.items()}
    if not arrays or any(values.ndim != 1 or not values.size for values in arrays.values()):
        shapes = {label: values.shape for label, values in arrays.items()}
        raise UserError(f"Got curves of the shapes {shapes}; expected at least one, all (frames,).")
    longest = max(values.size for values in arrays.values())
    window = window_for(longest)

    figure = new_figure(8.0, 4.4)
    axes = figure.add_subplot()
    for index, (label, values) in enumerate(arrays.items()):
        colour = COLOURS[index % len(COLOURS)]
        style = STYLES[index % len(STYLES)]
        values = np.where(np.isfinite(values), values, np.nan)
        numbers = np.arange(1, values.size + 1)
        known = values[np.isfinite(values)]
        mean = f"mean {known.mean():.2f} dB" if known.size else "no finite value"
        if 0 < known.size < values.size:
            mean += f" of {known.size} finite"
        if window > 1:
            axes.plot(numbers, values, color=colour, linewidth=0.6, alpha=0.3)
            values = running_mean(values, window)
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
    axes.xaxis.set_major_locator(whole_numbers())
    margin = max(0.01 * longest, 0.5)
    axes.set_xlim(1 - margin, longest + margin)
    note = f"bold: running mean over {window} frames; light: each frame" if window > 1 else None
    axes.set_title("PSNR of each predicted frame", fontsize=11)
    tidy(axes)
    # Outside the axes, because inside it would hide some lines.
    figure.legend(loc="outside lower center", ncols=2, fontsize=9, title=note, title_fontsize=8)
    return figure


def window_for(count: int) -> int:
    """The window of the running mean, an odd number of frames; 1 for a short curve.

    Args:
        count: the number of frames of the curve.
    """
    return max(1, round(count / 25)) | 1 if count >= _LONG else 1


def running_mean(values: np.ndarray, window: int) -> np.ndarray:
    """The mean over neighbouring values. NaN is left out; there are fewer neighbours at the ends.

    Args:
        values: (N,).
        window: number of neighbours, odd.

    Returns:
        (N,); NaN where all neighbours are NaN.
    """
    known = np.isfinite(values)
    ones = np.ones(window)
    total = np.convolve(np.where(known, values, 0.0), ones)
    count = np.convolve(known.astype(float), ones)
    middle = slice(window // 2, window // 2 + values.size)
    with np.errstate(invalid="ignore"):
        return np.where(count[middle] > 0, total[middle] / count[middle], np.nan)
