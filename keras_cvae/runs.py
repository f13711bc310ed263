"""The run folder: what is in it, and how it comes to be."""

import contextlib
import csv
import importlib.metadata
import json
import os
import platform
import shutil
import subprocess
import tempfile
from pathlib import Path

from keras_cvae.files import written_whole

CONFIG, HISTORY, METRICS = "config.json", "history.csv", "metrics.json"
BEST, LAST = "best.keras", "last.keras"
HISTORY_COLUMNS = ("epoch", "loss", "mse", "kl", "beta", "tfr", "lr", "val_psnr")

_PACKAGES = ("keras_cvae", "keras", "torch", "tensorflow", "jax", "numpy", "opencv-python")


def create_run(folder, config):
    """Makes a run folder with its configuration in it: both or neither.

    Args:
        folder: str or `Path` that does not exist yet.
        config: dict, what `config.json` holds.

    Raises:
        ValueError: if the folder exists.
    """
    with new_folder(folder) as partial:
        write_json(partial / CONFIG, config)


@contextlib.contextmanager
def new_folder(folder):
    """Gives a hidden folder beside `folder`, and moves it into place when the block is done.

    If the block raises, nothing is left.

    Args:
        folder: str or `Path` that does not exist yet.

    Yields:
        `Path` to write into.

    Raises:
        ValueError: if the folder exists or cannot be made.
    """
    folder = Path(folder)
    check_new(folder)
    try:
        folder.parent.mkdir(parents=True, exist_ok=True)
        partial = Path(tempfile.mkdtemp(prefix=f".{folder.name}.", dir=folder.parent))
    except OSError as error:
        raise ValueError(f"The folder {folder} could not be made: {error}") from error
    try:
        yield partial
        partial.chmod(0o755)  # mkdtemp lets nobody else in
        os.rename(partial, folder)
    finally:
        shutil.rmtree(partial, ignore_errors=True)


def check_new(folder):
    """Raises a `ValueError` if there already is something at `folder`."""
    if os.path.lexists(folder):
        is_run = (Path(folder) / CONFIG).is_file()
        go_on = f"; the run in it goes on with: python scripts/train.py --resume {folder}"
        raise ValueError(
            f"{folder} exists, and results are never overwritten. Give another --out"
            f"{go_on if is_run else '.'}"
        )


def read_config(folder):
    """The configuration of a run.

    Args:
        folder: str or `Path`, a run folder.

    Returns:
        dict.

    Raises:
        ValueError: if it is no run folder.
    """
    path = Path(folder) / CONFIG
    try:
        config = json.loads(path.read_text())
    except (OSError, ValueError) as error:
        raise ValueError(
            f"{folder} is not a run folder: {path} could not be read ({error})."
        ) from error
    if not isinstance(config, dict) or "schedule_epochs" not in config:
        raise ValueError(f"{folder} is not a run folder: {path} is not of a training run.")
    return config


def remove_partial_files(folder):
    """Removes what a killed process had begun to write into a run folder."""
    for path in Path(folder).rglob(".*.partial*"):
        path.unlink()


def write_json(path, values):
    """Writes a JSON file, whole or not at all."""
    with written_whole(path) as partial:
        partial.write_text(json.dumps(values, indent=2) + "\n")


def write_history(path, rows):
    """Writes the history as csv: one row per finished epoch, empty where there was no value.

    Args:
        path: str or `Path`.
        rows: list of dicts with `HISTORY_COLUMNS` as keys; other keys become further columns.
    """
    others = sorted({key for row in rows for key in row} - set(HISTORY_COLUMNS))
    with written_whole(path) as partial, open(partial, "w", newline="") as file:
        writer = csv.DictWriter(file, [*HISTORY_COLUMNS, *others], restval="")
        writer.writeheader()
        writer.writerows(rows)


def as_columns(rows):
    """The history's rows as columns: dict name -> list, NaN where a row has no value."""
    names = [*HISTORY_COLUMNS, *sorted({key for row in rows for key in row} - set(HISTORY_COLUMNS))]
    return {name: [row.get(name, float("nan")) for row in rows] for name in names}


def environment(backend):
    """What a run ran on: backend, versions, platform, processors and the commit of the code.

    Args:
        backend: str, the Keras backend.

    Returns:
        dict.
    """
    versions = {}
    for package in _PACKAGES:
        try:
            versions[package] = importlib.metadata.version(package)
        except importlib.metadata.PackageNotFoundError:
            continue
    return {
        "backend": backend,
        "versions": versions,
        "python": platform.python_version(),
        "platform": platform.platform(),
        "cpu_count": os.cpu_count(),
        "git_commit": _git_commit(),
    }


def _git_commit():
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
