"""Files and folders that are written whole or not at all, and never over what exists."""

import contextlib
import json
import lzma
import os
import platform
import re
import shutil
import struct
import time
import zipfile
import zlib
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from keras_cvae.errors import UserError, first_line, positive_variable

# Of a model's file when it is unpacked.
MAX_BYTES, MAX_BYTES_VARIABLE = 2**32, "KERAS_CVAE_MAX_MODEL_BYTES"
MAX_JSON_BYTES = 2**28
_PARTIAL = re.compile(r"\..*\.(?P<machine>\w+)-(?P<process>\d+)\.partial(\..*)?", re.DOTALL)
_DAY = 24 * 3600.0  # seconds
_CLEANED: set[Path] = set()
# What Python's zip reader raises for damaged files.
DAMAGED_ZIP = (
    *(OSError, EOFError, RuntimeError, NotImplementedError, ValueError, LookupError, OverflowError),
    *(struct.error, zipfile.BadZipFile, zlib.error, lzma.LZMAError),
)


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
    partial = _partial(path)
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
    partial = _partial(folder)
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


def remove_leftovers(folder: str | os.PathLike) -> None:
    """Removes what killed processes had begun to write into a folder, once per folder and process.

    What a living process writes stays. Of a process on another machine, which cannot be asked, it
    stays for a day.

    Args:
        folder: looked through without its subfolders.
    """
    folder = Path(folder).absolute()
    if folder in _CLEANED or not folder.is_dir():
        return
    _CLEANED.add(folder)
    for path in folder.iterdir():
        found = _PARTIAL.fullmatch(path.name)
        if found and _is_left(path, found["machine"], int(found["process"])):
            if path.is_dir() and not path.is_symlink():
                shutil.rmtree(path, ignore_errors=True)
            else:
                path.unlink(missing_ok=True)


def _partial(path: Path) -> Path:
    """The hidden name under which this process writes a file or folder."""
    suffix = f".{_machine()}-{os.getpid()}.partial{path.suffix}"
    return path.with_name(f".{path.stem[:100]}{suffix}")  # names end at 255 bytes


def _machine() -> str:
    return re.sub("[^A-Za-z0-9]", "_", platform.node())[:40] or "_"


def _is_left(path: Path, machine: str, process: int) -> bool:
    if machine == _machine() and os.name == "posix":
        if process == os.getpid():
            return False
        try:
            os.kill(process, 0)  # asks whether it lives, and sends nothing
        except ProcessLookupError:
            return True
        except OSError:  # it is another user's
            return False
        return False
    with contextlib.suppress(OSError):  # gone by now
        return time.time() - path.lstat().st_mtime > _DAY
    return False


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


def check_new(path: str | os.PathLike) -> None:
    """Checks that there is nothing at a path.

    Raises:
        UserError: if there is.
    """
    if os.path.lexists(path):
        raise UserError(f"{path} exists, and what exists is never overwritten. Give a new name.")


def read_json(path: str | os.PathLike, what: str) -> Any:
    """Reads a JSON file of at most 256 MiB.

    Args:
        path: the file.
        what: how an error names it, such as `"The manifest"`.

    Returns:
        What it holds.

    Raises:
        UserError: if it cannot be read or holds no JSON.
    """
    path = Path(path)
    try:
        with open(check_regular(path), "rb") as file:
            data = file.read(MAX_JSON_BYTES + 1)
    except OSError as error:
        raise UserError(f"{what} {path} could not be read: {error.strerror}.") from error
    if len(data) > MAX_JSON_BYTES:
        raise UserError(
            f"{what} {path} could not be read: it is larger than {MAX_JSON_BYTES} bytes."
        )
    return parse_json(data, f"{what} {path}")


def parse_json(data: bytes, what: str) -> Any:
    """Reads JSON.

    Args:
        data: its text in UTF-8.
        what: how an error names it.

    Raises:
        UserError: if it is no JSON.
    """
    try:
        return json.loads(data)
    except (ValueError, RecursionError) as error:  # too many brackets are a recursion
        raise UserError(f"{what} could not be read: {first_line(error)}.") from error


def check_regular(path: str | os.PathLike) -> Path:
    """Checks that a path is no pipe or device, whose reading may never end.

    Returns:
        The path. One that does not exist passes.

    Raises:
        UserError: if it is something else than a file or a folder.
    """
    path = Path(path)
    if path.exists() and not (path.is_file() or path.is_dir()):
        raise UserError(f"{path} is no regular file (a pipe or a device). Give a file.")
    return path


def check_archive(path: str | os.PathLike) -> None:
    """Checks that a zip file does not unpack to too much; nothing is unpacked.

    The bound is 4 GiB, or the environment variable `KERAS_CVAE_MAX_MODEL_BYTES`.

    Args:
        path: of a zip file, such as a `.keras` file or a bundle.

    Raises:
        UserError: if it unpacks to more, or is no zip file.
    """
    bound = positive_variable(MAX_BYTES_VARIABLE, MAX_BYTES)
    if not check_regular(path).is_file():
        raise UserError(f"There is no file at {path}.")
    try:
        with zipfile.ZipFile(path) as archive:
            size = sum(member.file_size for member in archive.infolist())
    except DAMAGED_ZIP as error:
        raise UserError(
            f"{path} could not be read, it is damaged or cut: {first_line(error)}."
        ) from error
    if size > bound:
        raise UserError(
            f"{path} claims to unpack to {size} bytes, more than the bound of {bound}. If you "
            f"trust it, raise the environment variable {MAX_BYTES_VARIABLE}."
        )


def write_json(path: str | os.PathLike, values: Any) -> None:
    """Writes a JSON file, whole or not at all."""
    with written_whole(path) as partial:
        partial.write_text(json.dumps(values, indent=2) + "\n")
