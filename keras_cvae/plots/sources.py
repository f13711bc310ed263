"""What the figures of several runs are drawn from: histories of Keras, csv files, run folders."""

import csv
import os
from pathlib import Path

import numpy as np

from keras_cvae import runs
from keras_cvae.errors import UserError


def history_columns(source):
    """A history as columns.

    Args:
        source: what `model.fit` returns, a dict of columns, a run folder, or its `history.csv`.

    Returns:
        dict name -> float array, with `epoch` counting from 1; NaN where there is no value.

    Raises:
        UserError: if there is no history.
    """
    if hasattr(source, "history"):  # Keras' History
        source = {"epoch": np.asarray(source.epoch) + 1, **source.history}
    elif isinstance(source, (str, os.PathLike)):
        path = Path(source)
        source = _read_csv(path / runs.HISTORY if path.is_dir() else path)
    columns = {name: np.asarray(values, dtype=float) for name, values in source.items()}
    if not columns or not all(len(values) for values in columns.values()):
        raise UserError("The history has no epoch yet; nothing can be drawn.")
    columns.setdefault("epoch", np.arange(1.0, len(next(iter(columns.values()))) + 1))
    return columns


def psnr_columns(source):
    """PSNR per predicted frame, the mean over the videos, of the prediction and the baselines.

    Args:
        source: a run folder, a `val_psnr_per_frame.csv`, or an array (T-1,) of the prediction's.

    Returns:
        dict name -> float array: `psnr`, and in files `first_frame`, `mean_frame` and
        `previous_true_frame`.

    Raises:
        UserError: if there is no such file.
    """
    if not isinstance(source, (str, os.PathLike)):
        return {"psnr": np.asarray(source, dtype=float)}
    path = Path(source)
    columns = _read_csv(path / "val_psnr_per_frame.csv" if path.is_dir() else path)
    frames = columns.pop("frame")
    numbers = np.unique(frames)
    columns.pop("video", None)
    return {
        name: np.array([values[frames == number].mean() for number in numbers])
        for name, values in columns.items()
        if name != "ssim"
    }


def psnr_by_video(run):
    """PSNR per predicted frame of each validation video of a run: list of float arrays."""
    psnr = {}
    for row in _read_rows(Path(run) / "val_psnr_per_frame.csv"):
        psnr.setdefault(row["video"], []).append(_number(row["psnr"]))
    return [np.array(values) for values in psnr.values()]


def _read_csv(path):
    rows = _read_rows(path)
    names = rows[0] if rows else []
    return {name: np.array([_number(row[name]) for row in rows]) for name in names}


def _read_rows(path):
    if not path.is_file():
        raise UserError(f"There is no {path}. Give a finished run, or a csv file of one.")
    with open(path, newline="") as file:
        return list(csv.DictReader(file))


def _number(text):
    try:
        return float(text)
    except (TypeError, ValueError):
        return float("nan")
