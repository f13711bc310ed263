"""Readers of files from others: of bounded size, and damaged ones are one clear error."""

import json
import lzma
import os
import struct
import zipfile
import zlib
from pathlib import Path
from typing import Any

from keras_cvae.errors import UserError, first_line, positive_variable

# Of a model's file when it is unpacked.
MAX_BYTES, MAX_BYTES_VARIABLE = 2**32, "KERAS_CVAE_MAX_MODEL_BYTES"
MAX_JSON_BYTES = 2**28
# What Python's zip reader raises for damaged files.
DAMAGED_ZIP = (
    *(OSError, EOFError, RuntimeError, NotImplementedError, ValueError, LookupError, OverflowError),
    *(struct.error, zipfile.BadZipFile, zlib.error, lzma.LZMAError),
)


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


def read_member(path: str | os.PathLike, name: str) -> bytes:
    """Reads one JSON member of a zip file, such as a `.keras` file, after `check_archive`.

    Args:
        path: of the zip file.
        name: of the member.

    Returns:
        Its content.

    Raises:
        UserError: if the file is damaged or unpacks to too much, or the member is absent or larger
            than 256 MiB.
    """
    check_archive(path)
    try:
        with zipfile.ZipFile(path) as archive:
            size = archive.getinfo(name).file_size if name in archive.namelist() else None
            data = archive.read(name) if size is not None and size <= MAX_JSON_BYTES else b""
    except DAMAGED_ZIP as error:
        raise UserError(f"{path} is damaged: {first_line(error)}.") from error
    if size is None:
        raise UserError(f"{path} has no {name} in it.")
    if size > MAX_JSON_BYTES:
        raise UserError(f"{name} in {path} is larger than {MAX_JSON_BYTES} bytes.")
    return data


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
