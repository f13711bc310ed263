"""Files and folders that are written whole or not at all, and never over what exists."""

import contextlib
import json
import os
import shutil
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from keras_cvae.errors import UserError, first_line
from keras_cvae.files.leftovers import partial_name, remove_leftovers


@contextlib.contextmanager
def written_whole(path: str | os.PathLike) -> Iterator[Path]:
    """Gives a temporary path next to `path` and moves what was written there into place.

    Another process, or a run that is killed and resumed, sees the old file or the new one, never a
    part of it. If the block raises, the temporary file is removed and `path` is as it was.

    Args:
        path: the file to write. Its folder must exist.

    Yields:
        `Path`, a hidden file in the same folder with the same ending.

    Raises:
        OSError: if it cannot be written, as on a full disk; it names the file.
    """
    path = Path(path)
    remove_leftovers(path.parent)
    partial = partial_name(path)
    try:
        with _named(path):
            yield partial
            os.replace(partial, path)
    finally:
        partial.unlink(missing_ok=True)


@contextlib.contextmanager
def new_folder(folder: str | os.PathLike) -> Iterator[Path]:
    """Gives a hidden folder next to `folder`, and moves it into place when the block is done.

    If the block raises, nothing is left.

    Args:
        folder: a path that does not exist yet.

    Yields:
        `Path` to write into.

    Raises:
        UserError: if the folder exists or cannot be made.
    """
    folder = Path(folder)
    check_new(folder)
    partial = partial_name(folder)
    try:
        folder.parent.mkdir(parents=True, exist_ok=True)
        remove_leftovers(folder.parent)
        shutil.rmtree(partial, ignore_errors=True)  # of a killed process that had our number
        partial.mkdir()
    except OSError as error:
        raise UserError(f"The folder {folder} could not be made: {error}") from error
    try:
        with _named(folder):
            yield partial
            os.rename(partial, folder)
    finally:
        shutil.rmtree(partial, ignore_errors=True)


def check_new(path: str | os.PathLike) -> None:
    """Checks that there is nothing at a path.

    Raises:
        UserError: if there is.
    """
    if os.path.lexists(path):
        raise UserError(f"{path} exists, and what exists is never overwritten. Give a new name.")


def write_json(path: str | os.PathLike, values: Any) -> None:
    """Writes a JSON file, whole or not at all."""
    with written_whole(path) as partial:
        partial.write_text(json.dumps(values, indent=2) + "\n")


@contextlib.contextmanager
def _named(path: Path) -> Iterator[None]:
    """Gives an error of the system, such as a full disk, the name of the file."""
    try:
        yield
    except OSError as error:
        if error.filename is not None:
            raise
        if error.errno is None:  # HDF5 puts all of it into the message
            raise OSError(f"{path} could not be written: {first_line(error)}") from error
        raise type(error)(error.errno, os.strerror(error.errno), str(path)) from error
