"""The data of figures, from histories of Keras, csv files or run folders."""

import csv
import os
from pathlib import Path
from typing import Any

import numpy as np

from keras_cvae import runs
from keras_cvae.errors import UserError


def history_columns(source: Any) -> dict[str, np.ndarray]:
    """A history as columns.

    Args:
        source: what `model.fit` returns, a dict of columns, a run folder, or its `history.csv`.

    Returns:
        dict name -> (epochs,) floats; `epoch` counts from 1, and NaN means "no value".

    Raises:
        UserError: if there is no history, or it has no epoch yet.
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


def psnr_columns(source: Any) -> dict[str, np.ndarray]:
    """PSNR per predicted frame of the prediction and the copy-frame baselines, mean over videos.

    Args:
        source: a run folder, a `val_psnr_per_frame.csv`, or the prediction's PSNR in dB, (T-1,).

    Returns:
        dict name -> (T-1,) dB: `psnr`, and from a file also `first_frame`, `mean_frame` and
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


def psnr_by_video(run: str | os.PathLike) -> list[np.ndarray]:
    """PSNR per predicted frame of each validation video of a run.

    Args:
        run: a run folder.

    Returns:
        For each video (T-1,) dB.

    Raises:
        UserError: if the run is not finished.
    """
    psnr: dict[str, list[float]] = {}
    for row in _read_rows(Path(run) / "val_psnr_per_frame.csv"):
        psnr.setdefault(row["video"], []).append(_number(row["psnr"]))
    return [np.array(values) for values in psnr.values()]


def _read_csv(path: Path) -> dict[str, np.ndarray]:
    rows = _read_rows(path)
    names = list(rows[0]) if rows else []
    return {name: np.array([_number(row[name]) for row in rows]) for name in names}


def _read_rows(path: Path) -> list[dict[str, str]]:
    if not path.is_file():
        raise UserError(f"There is no {path}. Give a finished run, or a csv file of one.")
    with open(path, newline="") as file:
        return list(csv.DictReader(file))


def _number(text: str) -> float:
    try:
        return float(text)
    except (TypeError, ValueError):
        return float("nan")
