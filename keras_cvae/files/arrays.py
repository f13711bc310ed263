"""NumPy files, read within bounds. Nothing in them is run."""

import contextlib
import os
import zipfile
from collections.abc import Iterator, Sequence
from tokenize import TokenError

import numpy as np

from keras_cvae.errors import UserError, first_line
from keras_cvae.files.reading import DAMAGED_ZIP, check_archive, check_regular

MAX_ARRAY_BYTES = 2**29  # of all arrays of a file
# NumPy reads a damaged header as Python, which may fail in these ways too, or claim any size.
_DAMAGED = (*DAMAGED_ZIP, SyntaxError, TokenError, TypeError, AttributeError, MemoryError)


def array_names(path: str | os.PathLike) -> list[str]:
    """The names of the arrays of an `.npz` file.

    Args:
        path: the file.

    Raises:
        UserError: if it is damaged, or holds more than 512 MiB.
    """
    check_archive(path)
    with _damage_named(path), zipfile.ZipFile(path) as archive:
        members = archive.infolist()
    _check_size(path, sum(member.file_size for member in members))
    return [member.filename.removesuffix(".npy") for member in members]


def read_npz(path: str | os.PathLike, names: Sequence[str]) -> dict[str, np.ndarray]:
    """Reads arrays of an `.npz` file.

    Args:
        path: the file.
        names: of the arrays to read.

    Returns:
        dict name -> array, of any type but objects.

    Raises:
        UserError: if it is damaged, lacks an array, holds objects, or more than 512 MiB.
    """
    if missing := [name for name in names if name not in array_names(path)]:
        raise UserError(
            f"{path} has no array {', '.join(missing)}: it is another kind of file. Give the right "
            "one, or remove it."
        )
    with _damage_named(path), np.load(path, allow_pickle=False) as stored:
        arrays = {name: np.asarray(stored[name]) for name in names}
    return arrays


def read_npy(path: str | os.PathLike) -> np.ndarray:
    """Reads an `.npy` file.

    Args:
        path: the file.

    Raises:
        UserError: as `read_npz`.
    """
    _check_size(path, check_regular(path).stat().st_size)
    with _damage_named(path), open(path, "rb") as file:
        array = np.lib.format.read_array(file, allow_pickle=False)
    return array


@contextlib.contextmanager
def _damage_named(path: str | os.PathLike) -> Iterator[None]:
    try:
        yield
    except UserError:  # which is a ValueError
        raise
    except _DAMAGED as error:
        why = first_line(error)[:100]  # NumPy quotes a whole header
        raise UserError(f"{path} could not be read, it is damaged or cut: {why}.") from error


def _check_size(path: str | os.PathLike, size: int) -> None:
    if size > MAX_ARRAY_BYTES:
        raise UserError(
            f"{path} holds {size} bytes; expected are at most {MAX_ARRAY_BYTES}. Cut it into "
            "shorter ones."
        )
