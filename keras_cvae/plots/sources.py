"""The data of figures, from histories of Keras, csv files or run folders."""

import os
from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import Any

import numpy as np

from keras_cvae import runs
from keras_cvae.errors import UserError
from keras_cvae.plots.history import KL_UNITS
from keras_cvae.plots.tables import read_columns

PSNR_FILE = "val_psnr_per_frame.csv"
_MAX_EPOCHS = 100_000
_LAST_EPOCH = 10**9  # a larger number is none, and the axis could not show it


def history_columns(source: Any) -> dict[str, np.ndarray]:
    """A history as columns.

    Args:
        source: what `model.fit` returns, a dict of columns, a run folder, or its `history.csv`.

    Returns:
        dict name -> (epochs,) floats; `epoch` counts from 1, and NaN means "no value".

    Raises:
        UserError: if there is no history, it has no epoch yet, or it is no history: cut, too long,
            of other columns, or with epochs that are no numbers.
    """
    what: str | Path = "The history"
    if hasattr(source, "history"):  # Keras' History
        source = {"epoch": np.asarray(source.epoch) + 1, **source.history}
    elif isinstance(source, (str, os.PathLike)):
        path = Path(source)
        what = path = path / runs.HISTORY if path.is_dir() else path
        source = read_columns(path)
    columns = {name: np.asarray(values, dtype=float) for name, values in source.items()}
    lengths = {len(values) for values in columns.values()}
    if lengths in (set(), {0}):
        raise UserError(f"{what} has no epoch yet; nothing can be drawn.")
    if len(lengths) > 1 or max(lengths) > _MAX_EPOCHS:
        raise UserError(
            f"{what} has columns of {min(lengths)} to {max(lengths)} epochs; expected one length, "
            f"at most {_MAX_EPOCHS}."
        )
    epochs = columns.setdefault("epoch", np.arange(1.0, max(lengths) + 1))
    if not (np.abs(epochs) <= _LAST_EPOCH).all():  # written so that NaN fails too
        raise UserError(
            f"{what}: epochs must be numbers up to {_LAST_EPOCH}; got {epochs.min():g} to "
            f"{epochs.max():g}. It is damaged; write it again."
        )
    return columns


def kl_units(sources: Iterable[Any]) -> list[str]:
    """The units in which histories have the KL, see `keras_cvae.plots.KL_UNITS`.

    Args:
        sources: each as for `history_columns`. What is no run folder does not say its unit.

    Returns:
        Each unit once, in the order of the alphabet.

    Raises:
        UserError: if a run's configuration cannot be read.
    """
    folders = [each for each in sources if isinstance(each, (str, os.PathLike))]
    configs = [runs.read_config(each) for each in folders if runs.is_run(each)]
    found = {KL_UNITS.get(str(config.get("kl_reduction"))) for config in configs}
    return sorted(unit for unit in found if unit is not None)


def psnr_columns(source: Any) -> dict[str, np.ndarray]:
    """PSNR per predicted frame of the prediction and the copy-frame baselines, mean over videos.

    Args:
        source: a run folder, a `val_psnr_per_frame.csv`, or the prediction's PSNR in dB, (T-1,).

    Returns:
        dict name -> (T-1,) dB: `psnr`, and from a file also `first_frame`, `mean_frame` and
        `previous_true_frame`.

    Raises:
        UserError: if there is no such file, or it holds something else.
    """
    if not isinstance(source, (str, os.PathLike)):
        return {"psnr": np.asarray(source, dtype=float)}
    columns = _psnr_file(Path(source), ("frame", "psnr"))
    _, place = np.unique(columns["frame"], return_inverse=True)
    counts = np.bincount(place)
    return {
        name: np.bincount(place, columns[name]) / counts
        for name in ("psnr", *runs.BASELINES)
        if name in columns
    }


def psnr_by_video(run: str | os.PathLike) -> list[np.ndarray]:
    """PSNR per predicted frame of each validation video of a run.

    Args:
        run: a run folder.

    Returns:
        For each video (T-1,) dB.

    Raises:
        UserError: if the run is not finished, or its file of the PSNR holds something else.
    """
    columns = _psnr_file(Path(run), ("video", "psnr"))
    rows: dict[str, list[int]] = {}
    for row, video in enumerate(columns["video"]):
        rows.setdefault(video, []).append(row)
    return [columns["psnr"][of_video] for of_video in rows.values()]


def _psnr_file(path: Path, needed: Sequence[str]) -> dict[str, np.ndarray]:
    path = path / PSNR_FILE if path.is_dir() else path
    columns = read_columns(path, needed, texts=("video",))
    if not len(columns["psnr"]):
        raise UserError(f"{path} has no row: no frame was predicted. Write it again.")
    return columns
