"""Reads a PyTorch file, and finds the published model's weights in it, as people save them."""

import argparse
import datetime
import pathlib
import re
import types
import warnings
import zipfile
from collections.abc import Iterable
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np

from keras_cvae.errors import UserError, first_line
from keras_cvae.files import check_archive

_FOLDERS = ("state_dict", "model_state_dict", "model", "net")
# Of DataParallel, torch.compile, and of a trainer's attribute. torch.compile's may be inside too.
_PREFIX = re.compile(r"^(module\.|model\.)+")
_INSIDE = re.compile(r"_orig_mod\.")
_SHOWN = 3  # the largest number of keys in a message


class Weights(NamedTuple):
    """A state dict of a checkpoint.

    Attributes:
        tensors: dict key, without prefixes -> tensor or array.
        keys: dict the same key -> as it stands in the file.
    """

    tensors: dict[str, Any]
    keys: dict[str, str]


def read_checkpoint(path: Path, torch: Any) -> Any:
    """Reads a file that `torch.save` wrote; no code in it is run.

    PyTorch's reader for weights alone makes tensors and plain values. Here it makes a few more
    harmless classes, which stand beside the weights in many files: NumPy's numbers and arrays,
    namespaces, paths and dates.

    Args:
        path: the file.
        torch: the module.

    Returns:
        What the file holds.

    Raises:
        UserError: if it is damaged or no such file, claims to unpack to too much, or names other
            classes.
    """
    if zipfile.is_zipfile(path):
        check_archive(path)
    try:
        with torch.serialization.safe_globals(_harmless()), warnings.catch_warnings():
            warnings.simplefilter("ignore")  # of storages of earlier versions
            return torch.load(path, map_location="cpu", weights_only=True)
    except Exception as error:  # a damaged or foreign file can raise any type of error
        advice = "save its state_dict alone: torch.save(model.state_dict(), ...)"
        if named := re.search(r"GLOBAL (\S+)", str(error)):
            raise UserError(
                f"{path} holds more than tensors and plain values, the class {printable(named[1])}:"
                f" nothing in it was run. Where that class is, {advice}."
            ) from error
        why = re.search(r"Unpickler error:\s*(.+)", str(error))
        raise UserError(
            f"{path} could not be read as a PyTorch checkpoint, nothing in it was run: it is "
            f"damaged, cut or no checkpoint ({printable(why[1] if why else first_line(error))}). "
            f"Copy it again, or {advice}."
        ) from error


def find_weights(checkpoint: dict, needed: Iterable[str], torch: Any) -> Weights | None:
    """The first state dict in a checkpoint that has some keys, without prefixes.

    It is looked for under the keys `state_dict`, `model_state_dict`, `model` and `net`, also in
    each other, and last in the checkpoint itself. The prefixes `module.`, `_orig_mod.` and `model.`
    are taken off; a key without one has precedence.

    Args:
        checkpoint: what the file holds.
        needed: keys of the published model.
        torch: the module.

    Returns:
        `Weights`. If none has the keys, the largest state dict; `None` if there are no tensors.
    """
    found = []
    pending = [checkpoint]
    for state in pending:
        inner = [state[key] for key in _FOLDERS if isinstance(state.get(key), dict)]
        pending += [each for each in inner if not any(each is known for known in pending)]
        if tensors := {k: v for k, v in state.items() if _is_tensor(v, torch)}:
            found.append(_without_prefixes(tensors))
    found = [*found[1:], *found[:1]]  # the checkpoint itself comes last
    complete = (each for each in found if all(key in each.tensors for key in needed))
    return next(complete, max(found, key=lambda each: len(each.tensors), default=None))


def shown(keys: Iterable[Any]) -> str:
    """The first few of some keys, in one line whatever they are."""
    keys = list(keys)
    rest = len(keys) - _SHOWN
    first = ", ".join(printable(key) for key in keys[:_SHOWN])
    return first + (f" and {rest} more" if rest > 0 else "")


def printable(text: Any) -> str:
    """A text of a file, without control characters, and not too long."""
    text = re.sub(r"\x1b\[\d*m", "", str(text))[:200]  # colours
    return "".join(letter if letter.isprintable() else "?" for letter in text)


def _is_tensor(value: Any, torch: Any) -> bool:
    return torch.is_tensor(value) or isinstance(value, np.ndarray)


def _without_prefixes(tensors: dict) -> Weights:
    weights = Weights({}, {})
    names = {key: _PREFIX.sub("", _INSIDE.sub("", key)) for key in tensors if isinstance(key, str)}
    for key in sorted(names, key=lambda key: len(key) - len(names[key])):
        name = names[key] if names[key] not in weights.tensors else key
        weights.tensors[name] = tensors[key]
        weights.keys[name] = key
    return weights


def _harmless() -> list[Any]:
    """Classes whose making runs nothing but their own constructors, and those of NumPy's arrays."""
    parts: list[Any] = [np.array(0).__reduce__()[0], np.float64(0).__reduce__()[0]]
    old = [(part, f"numpy.core.multiarray.{part.__name__}") for part in parts]  # before NumPy 2
    dtypes = {type(np.dtype(kind)) for kind in np.typecodes["All"]}
    paths = (pathlib.PurePosixPath, pathlib.PureWindowsPath, type(pathlib.Path()))
    dates = (datetime.date, datetime.datetime, datetime.time, datetime.timedelta)
    plain = (argparse.Namespace, types.SimpleNamespace, bytes, complex, set)
    encode = _encode, "_codecs.encode"  # how protocol 2 writes bytes
    return [*parts, *old, np.ndarray, np.dtype, *dtypes, *paths, *dates, *plain, encode]


def _encode(text: str, encoding: str = "latin1") -> bytes:
    return text.encode("latin1")
