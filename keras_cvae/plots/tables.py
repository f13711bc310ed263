"""Columns of numbers from csv files, which may be cut or foreign."""

import csv
import io
from array import array
from collections.abc import Collection
from pathlib import Path
from typing import Any

import numpy as np

from keras_cvae.errors import UserError, first_line
from keras_cvae.files import check_regular

MAX_BYTES = 2**24
MAX_LINES = 250_000  # three hours of PSNR per frame; all of them are held in memory
_MAX_COLUMNS = 1000
_SHOWN = 40  # characters of what was found, in a message


def read_columns(
    path: Path, needed: Collection[str] = (), texts: Collection[str] = ()
) -> dict[str, np.ndarray]:
    """Reads a csv file with a header.

    Args:
        path: the file.
        needed: the columns that it must have.
        texts: the columns that hold text.

    Returns:
        dict name -> (rows,), floats or text; NaN where there is no number.

    Raises:
        UserError: if the file is absent or too large, or a row is cut or holds something else.
    """
    reader = csv.reader(io.StringIO(_read(path), newline=""))
    try:
        names = next(reader, [])
        _check_header(path, names, needed)
        columns: list[Any] = [[] if name in texts else array("d") for name in names]
        known: dict[str, str] = {}  # a text that repeats is stored once
        for row in reader:
            if reader.line_num > MAX_LINES:
                raise UserError(f"{path} has more than {MAX_LINES} lines; it is no csv of a run.")
            if len(row) != len(names):
                if not row:  # an empty line
                    continue
                raise UserError(
                    f"{path}, line {reader.line_num}: expected {len(names)} values; got "
                    f"{len(row)}. The file is cut or damaged; write it again."
                )
            for name, column, text in zip(names, columns, row, strict=True):
                if name in texts:
                    column.append(known.setdefault(text, text))
                    continue
                try:
                    column.append(float(text) if text else np.nan)
                except ValueError:
                    raise UserError(
                        f"{path}, line {reader.line_num}: expected a number as {_short(name)}; got "
                        f"{_short(text)}. The file is damaged; write it again."
                    ) from None
    except csv.Error as error:
        raise UserError(
            f"{path}, line {reader.line_num}: it is no csv file of a run ({first_line(error)})."
        ) from error
    # Not an array of NumPy's texts: all of them would be as long as the longest.
    return {
        name: np.array(column, object if name in texts else float)
        for name, column in zip(names, columns, strict=True)
    }


def _read(path: Path) -> str:
    if not check_regular(path).is_file():
        raise UserError(f"There is no {path}. Give a finished run, or a csv file of one.")
    with open(path, "rb") as file:
        data = file.read(MAX_BYTES + 1)
    if len(data) > MAX_BYTES:
        raise UserError(f"{path} is larger than {MAX_BYTES} bytes; it is no csv file of a run.")
    try:
        return data.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        raise UserError(f"{path} is no text in UTF-8, so it is no csv file of a run.") from error


def _check_header(path: Path, names: list[str], needed: Collection[str]) -> None:
    if not names:
        raise UserError(f"{path} is empty; expected a csv file of a run. Write it again.")
    if absent := [name for name in needed if name not in names]:
        raise UserError(
            f"{path} has no column {absent[0]!r}; its header is {_short(','.join(names))}. "
            "Give a csv file of a run."
        )
    if len(set(names)) < len(names) or len(names) > _MAX_COLUMNS:
        raise UserError(
            f"{path} has {len(names)} columns, {len(set(names))} of them different; expected at "
            f"most {_MAX_COLUMNS}, all different. Its header is {_short(','.join(names))}."
        )


def _short(text: str) -> str:
    """A text in quotes that fits into a message."""
    return repr(text if len(text) <= _SHOWN else text[:_SHOWN] + "...")
