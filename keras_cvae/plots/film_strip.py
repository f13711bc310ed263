"""Chosen frames side by side: truth, prediction, pose, error."""

import os
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np

from keras_cvae.errors import UserError
from keras_cvae.metrics import frame_psnr
from keras_cvae.plots.style import new_figure, save_with_numbers
from keras_cvae.video import error_map, to_uint8


def plot_film_strip(
    truth: np.ndarray | None,
    prediction: np.ndarray,
    pose: np.ndarray,
    frame_numbers: Sequence[int],
    path: str | os.PathLike,
    error_gain: float = 4.0,
    overwrite: bool = False,
) -> list[Path]:
    """Draws chosen frames: a column per frame, with rows for truth, prediction, pose and error.

    The csv has the PSNR of each frame shown, in dB. The given frame has the largest value that
    `keras_cvae.metrics.frame_psnr` returns.

    Args:
        truth: (T, H, W, 3) RGB, uint8 or floats in [0, 1], the true frames. `None` leaves out truth
            and error.
        prediction: the same shape, the predicted frames.
        pose: the same shape, the pose images.
        frame_numbers: of the frames to show, from 0.
        path: the PNG to write; an SVG and a csv of the same name are written next to it.
        error_gain: amplification of the error, see `keras_cvae.video.error_map`.
        overwrite: whether existing files are replaced.

    Returns:
        The three paths: PNG, SVG, csv.

    Raises:
        UserError: if shapes differ, a frame does not exist, or a file exists.

    Example:

    ```python
    plot_film_strip(frames, prediction, poses, [0, 10, 100], "film_strip.png")
    ```
    """
    figure = _film_strip_figure(truth, prediction, pose, frame_numbers, error_gain)
    shown = list(frame_numbers)
    numbers: dict[str, Any] = {"frame": shown}
    if truth is not None:
        numbers["psnr"] = frame_psnr(to_uint8(truth)[shown], to_uint8(prediction)[shown])
    return save_with_numbers(figure, path, numbers, overwrite)


def _film_strip_figure(truth, prediction, pose, frame_numbers, error_gain=4.0):
    named = {"truth": truth, "prediction": prediction, "pose": pose}
    rows = {name: to_uint8(frames) for name, frames in named.items() if frames is not None}
    shapes = {name: frames.shape for name, frames in rows.items()}
    if len(set(shapes.values())) > 1 or rows["pose"].ndim != 4:
        raise UserError(f"Got {shapes}; expected one shape (T, height, width, 3) for all of them.")
    count, height, width = rows["pose"].shape[:3]
    numbers = [int(number) for number in frame_numbers]
    if not numbers or min(numbers) < 0 or max(numbers) >= count:
        raise UserError(
            f"frame_numbers={numbers}; expected at least one, each from 0 to {count - 1}."
        )
    rows = {name: frames[numbers] for name, frames in rows.items()}
    if truth is not None:
        rows[f"error x{error_gain:g}"] = error_map(rows["truth"], rows["prediction"], error_gain)

    cell = min(2.2, 12.0 / len(numbers))  # inches across
    figure = new_figure(cell * len(numbers) + 0.4, cell * height / width * len(rows) + 0.3)
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
