"""The run folder: the names of its files, and how they are written and read."""

import contextlib
import csv
import importlib.metadata
import os
import platform
import re
import subprocess
import sys
import time
import warnings
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import IO, Any

import keras_cvae
from keras_cvae.errors import UserError
from keras_cvae.files import new_folder, read_json, remove_leftovers, write_json, written_whole

CONFIG, HISTORY, METRICS = "config.json", "history.csv", "metrics.json"
DATA = "data.json"  # the fingerprint of the data
BEST, LAST = "best.keras", "last.keras"
DANCER = "dancer.npz"  # what driving needs of the trained person
HISTORY_COLUMNS = ("epoch", "loss", "mse", "kl", "beta", "tfr", "lr", "val_psnr")
_LOCK = ".lock"
_EARLIER_PARTIAL = re.compile(r"\..*\.\d+\.partial(\..*)?")  # as earlier versions named them
BASELINES = ("first_frame", "mean_frame", "previous_true_frame")

_PACKAGES = ("keras", "torch", "tensorflow", "jax", "numpy")
_OPENCV = ("opencv-python", "opencv-python-headless", "opencv-contrib-python")  # one is enough


def create_run(folder: str | os.PathLike, config: dict) -> None:
    """Makes a run folder with its configuration in it: both or neither.

    Args:
        folder: a path that does not exist yet.
        config: what `config.json` holds.

    Raises:
        UserError: if the folder exists.
    """
    with new_folder(folder) as partial:
        write_json(partial / CONFIG, config)


def is_run(folder: str | os.PathLike) -> bool:
    """Whether there is a run folder at a path."""
    return (Path(folder) / CONFIG).is_file()


def read_config(folder: str | os.PathLike) -> dict:
    """The configuration of a run.

    Args:
        folder: a run folder.

    Returns:
        dict, what `config.json` holds.

    Raises:
        UserError: if it is no run folder.
    """
    path = Path(folder) / CONFIG
    if not path.exists():
        raise UserError(f"{folder} is not a run folder: it has no {CONFIG}.")
    try:
        config = read_json(path, "The configuration")
    except UserError as error:
        raise UserError(f"{folder} is not a run folder. {error}") from error
    if not isinstance(config, dict) or "schedule_epochs" not in config:
        raise UserError(f"{folder} is not a run folder: {path} is not of a training run.")
    return config


def read_metrics(folder: str | os.PathLike) -> dict:
    """The results of a run or an evaluation, in today's flat schema.

    A file of an older evaluation has a dict for each split (`{"val": {"psnr": ...}}`); its values
    become `val_psnr` and so on.

    Args:
        folder: a folder that holds `metrics.json`.

    Returns:
        dict of floats, with dicts of floats under `baselines` and `test_baselines`.

    Raises:
        UserError: if there is no such file, or it holds something else.
    """
    path = Path(folder) / METRICS
    stored = read_json(path, "The results")
    if not isinstance(stored, dict):
        raise UserError(f"{path} holds no results: expected a JSON object.")
    flat: dict[str, Any] = {}
    for name, value in stored.items():
        if name in ("val", "test") and isinstance(value, dict):
            baselines = {key: value[key] for key in BASELINES if key in value}
            flat["baselines" if name == "val" else "test_baselines"] = baselines
            value = {key: each for key, each in value.items() if key not in BASELINES}
        elif not name.endswith("_samples") or not isinstance(value, dict):
            flat[name] = value
            continue
        flat |= {f"{name}_{key}": each for key, each in value.items()}
    return flat


@contextlib.contextmanager
def locked(folder: str | os.PathLike) -> Iterator[None]:
    """Keeps other processes from training in a run folder. A killed process keeps nobody out.

    The lock is the operating system's, on a hidden file, which says who holds it and is removed at
    the end.

    Args:
        folder: a run folder.

    Raises:
        UserError: if another process holds the lock; it is named.
    """
    path = Path(folder) / _LOCK
    with open(path, "a+") as file:
        if not _try_lock(file):
            file.seek(0)
            raise UserError(
                f"{folder} is in use by {file.read().strip() or 'another process'}. Wait for it, "
                "or stop it."
            )
        file.truncate(0)
        started = time.strftime("%Y-%m-%d %H:%M:%S")
        file.write(f"process {os.getpid()} on {platform.node()}, since {started}\n")
        file.flush()
        try:
            yield
        finally:
            if os.name == "posix":  # elsewhere an open file is not removed
                path.unlink(missing_ok=True)


def _try_lock(file: IO) -> bool:
    """Locks an open file until it is closed or the process ends; whether nobody else held it."""
    if sys.platform == "win32":
        import msvcrt

        file.seek(2**20)  # what is locked is not readable there
        with contextlib.suppress(OSError):
            msvcrt.locking(file.fileno(), msvcrt.LK_NBLCK, 1)
            return True
        return False
    import fcntl

    try:
        fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        return False
    except OSError:  # a file system without locks
        warnings.warn(
            "this file system has no locks: do not train twice in one folder", stacklevel=3
        )
        return True
    # A process that has just ended removes the file: then the lock is on no file.
    return os.path.exists(file.name) and os.path.samestat(
        os.stat(file.name), os.fstat(file.fileno())
    )


def remove_partial_files(folder: str | os.PathLike) -> None:
    """Removes what a killed process had begun to write into a run folder that is locked."""
    for place in (Path(folder), *(path for path in Path(folder).iterdir() if path.is_dir())):
        remove_leftovers(place)
        for path in place.glob(".*.partial*"):
            if _EARLIER_PARTIAL.fullmatch(path.name) and not path.is_dir():
                path.unlink()


def write_history(path: str | os.PathLike, rows: Sequence[dict]) -> None:
    """Writes the history as csv: one row per finished epoch, empty where there was no value.

    Args:
        path: the csv file.
        rows: dicts with `HISTORY_COLUMNS` as keys; other keys become further columns.
    """
    with written_whole(path) as partial, open(partial, "w", newline="") as file:
        writer = csv.DictWriter(file, _column_names(rows), restval="")
        writer.writeheader()
        writer.writerows(rows)


def as_columns(rows: Sequence[dict]) -> dict[str, list[float]]:
    """The history's rows as columns, NaN where a row has no value."""
    return {name: [row.get(name, float("nan")) for row in rows] for name in _column_names(rows)}


def _column_names(rows: Sequence[dict]) -> list[str]:
    others = {key for row in rows for key in row} - set(HISTORY_COLUMNS)
    return [*HISTORY_COLUMNS, *sorted(others)]


def environment(backend: str) -> dict:
    """What a run runs on: backend, versions, platform, processors and the commit of the code.

    Args:
        backend: the Keras backend.

    Returns:
        dict of plain values.
    """
    return {
        "backend": backend,
        # Of this package by itself: a checkout need not be installed.
        "versions": {
            "keras_cvae": keras_cvae.__version__,
            **package_versions((*_PACKAGES, *_OPENCV)),
        },
        "python": platform.python_version(),
        "platform": platform.platform(),
        "cpu_count": os.cpu_count(),
        "git_commit": _git_commit(),
    }


def package_versions(packages: Sequence[str]) -> dict[str, str]:
    """The versions of those packages that are installed, by name."""
    found = {}
    for package in packages:
        with contextlib.suppress(importlib.metadata.PackageNotFoundError):
            found[package] = importlib.metadata.version(package)
    return found


def _git_commit() -> str | None:
    """The commit of the checkout that the code runs from, with a + if it was changed, or `None`."""
    folder = Path(__file__).parent
    try:
        commit, changed = (
            subprocess.run(
                ["git", "-C", folder, *arguments], capture_output=True, text=True, timeout=10
            )
            for arguments in (("rev-parse", "HEAD"), ("status", "--porcelain", "--", "."))
        )
    except (OSError, subprocess.TimeoutExpired):
        return None
    if commit.returncode:
        return None
    return commit.stdout.strip() + ("+" if changed.stdout.strip() else "")
