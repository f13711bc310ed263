"""Which files of a folder are its images, and which number each of them has."""

import os
import re
import shlex
import unicodedata
from collections.abc import Iterable
from itertools import pairwise
from pathlib import Path
from typing import Any

from keras_cvae.data.decoding import IMAGE_SUFFIXES
from keras_cvae.errors import UserError

# Files that systems leave behind, in lower case; and every name that begins with a dot.
IGNORED = {
    "thumbs.db",
    "ehthumbs.db",
    "ehthumbs_vista.db",
    "desktop.ini",
    "__macosx",
    "@eadir",
    "$recycle.bin",
}

_DIGITS = re.compile(r"([0-9]+)")
_ENDING = f"(?i:{'|'.join(map(re.escape, IMAGE_SUFFIXES))})"
_BREAKING = {"Cc", "Cs", "Zl", "Zp"}  # controls, half characters, separators of lines


def check_folder(folder: str | os.PathLike, what: str, hint: str) -> None:
    """Checks that a path is a folder.

    Args:
        folder: the path.
        what: how an error names it, such as `"The folder"`.
        hint: the sentence of an error that says what is expected.

    Raises:
        UserError: if it is not. Of a file that may be a video, the message says how to make a
            folder of images of it.
    """
    if os.path.isdir(folder):
        return
    if not os.path.lexists(folder):
        raise UserError(f"{what} {folder} does not exist. {hint}")
    if not os.path.exists(folder):
        raise UserError(f"{what} {folder} is a link to nothing. {hint}")
    path = Path(folder)
    advice = ""
    if path.suffix.lower() not in IMAGE_SUFFIXES:
        images = f"{path.with_suffix('') if path.suffix else path.with_name('images')}"
        source, target = shlex.quote(str(path)), shlex.quote(images + "/%05d.png")
        advice = (
            f" If it is a video, make images of it: mkdir {shlex.quote(images)}, and then "
            f"ffmpeg -i {source} {target}"
        )
    raise UserError(f"{folder} is a file, but must be a folder. {hint}{advice}")


def entries_of(folder: Path, hint: str) -> dict[str, bool]:
    """Lists a folder by name, without what systems leave behind (`IGNORED`).

    Args:
        folder: the folder.
        hint: the sentence of an error that says what is expected.

    Returns:
        dict name -> whether it is a folder.

    Raises:
        UserError: if it does not exist, is no folder, cannot be read or has nothing else in it, or
            a name holds a line break or the like.
    """
    check_folder(folder, "The folder", hint)
    try:
        with os.scandir(folder) as entries:  # which knows the folders without asking for each
            kinds = {
                entry.name: _is_folder(entry)
                for entry in entries
                if entry.name[0] != "." and entry.name.lower() not in IGNORED
            }
    except OSError as error:
        raise UserError(f"The folder {folder} cannot be read: {error.strerror}.") from error
    if not kinds:
        raise UserError(f"The folder {folder} is empty; expected images 0.png, 1.png, ...")
    for name in kinds:
        if not name.isprintable() and any(unicodedata.category(c) in _BREAKING for c in name):
            raise UserError(
                f"The folder {folder} holds {name!r}, a name with control characters. Rename it."
            )
    return {name: kinds[name] for name in sorted(kinds)}


def by_number(folder: Path, names: Iterable[str]) -> dict[int, str]:
    """Finds the number of each image of a folder.

    The names must be alike, apart from one number: `0.png`, `frame_000001.png`,
    `cam2_0001_rendered.png`. Where no number differs, as in a folder of one image, the last one of
    the name counts. Endings may differ.

    Args:
        folder: for the messages.
        names: of all its files, at least one.

    Returns:
        The names by their numbers.

    Raises:
        UserError: for a file that is no image, names of which the number is ambiguous, or two
            files of the same number.
    """
    names = list(names)
    first = names[0]
    # Text and digits in turn, so every second piece is a number.
    pieces = _DIGITS.split(first.rpartition(".")[0])
    # One look at each name tells all: there may be very many.
    alike = re.compile(_DIGITS.pattern.join(map(re.escape, pieces[::2])) + _ENDING)
    numbers: dict[str, tuple[str, ...]] = {}
    for name in names:
        found = alike.fullmatch(name)
        if found is None or len(pieces) == 1:
            raise _unlike(folder, names, name)
        numbers[name] = found.groups()
    place = _place(folder, numbers)
    numbered: dict[int, str] = {}
    for name, own in numbers.items():
        if (known := numbered.setdefault(int(own[place]), name)) is not name:
            raise UserError(f"{folder}: {known} and {name} are the same number; keep one.")
    return numbered


def check_image_name(folder: Path, name: str) -> None:
    """Checks the ending of an image's name.

    Args:
        folder: for the message.
        name: of a file in it.

    Raises:
        UserError: if it is not one of `IMAGE_SUFFIXES`.
    """
    if not name.lower().endswith(IMAGE_SUFFIXES):
        raise UserError(
            f"{folder / name}: expected an image with one of the endings "
            f"{', '.join(IMAGE_SUFFIXES)}. Rename it, or move it elsewhere."
        )


def missing_numbers(numbers: Iterable[int]) -> str:
    """Lists the gaps between numbers, such as `"3, 7 to 9"`; empty if there is none."""
    gaps = [(a + 1, b - 1) for a, b in pairwise(sorted(numbers)) if b > a + 1]
    return some(f"{a}" if a == b else f"{a} to {b}" for a, b in gaps) if gaps else ""


def natural_order(name: str) -> tuple[Any, ...]:
    """A key of sorting by which numbers in names count as numbers: 10 comes after 9."""
    pieces: list[Any] = _DIGITS.split(name)
    pieces[1::2] = map(int, pieces[1::2])
    return (pieces, name)


def some(things: Iterable[Any]) -> str:
    """The first five things, separated by commas, and how many more there are."""
    words = [str(thing) for thing in things]
    return ", ".join(words[:5]) + (f" and {len(words) - 5} more" if len(words) > 5 else "")


def _is_folder(entry: os.DirEntry[str]) -> bool:
    try:
        return entry.is_dir()
    except OSError:  # a link that leads nowhere: reading it says so
        return False


def _unlike(folder: Path, names: list[str], name: str) -> UserError:
    """The error of the first name that is not like the first of all, or has no number."""
    for each in names:  # that a file is no image says more
        check_image_name(folder, each)
    if _DIGITS.search(names[0].rpartition(".")[0]):
        return _ambiguous(folder, names[0], name)
    return UserError(
        f"{folder / names[0]}: expected a number in the name, as in 0001.png or frame_0001.png. "
        "Rename it, or move it elsewhere."
    )


def _place(folder: Path, numbers: dict[str, tuple[str, ...]]) -> int:
    """Which of the numbers in names is that of the image."""
    first, model = next(iter(numbers.items()))
    if len(model) == 1:
        return 0
    differs: dict[int, str] = {}  # which number, and the first name that has another
    for name, own in numbers.items():
        for place in range(len(model)):
            if own[place] != model[place]:
                differs.setdefault(place, name)
    if len(differs) > 1:
        one, other = list(differs.values())[:2]
        both = next((name for name, own in numbers.items() if _count(own, model) > 1), None)
        raise _ambiguous(folder, first, both) if both else _ambiguous(folder, one, other)
    return next(iter(differs), len(model) - 1)


def _count(own: tuple[str, ...], model: tuple[str, ...]) -> int:
    return sum(a != b for a, b in zip(own, model, strict=True))


def _ambiguous(folder: Path, one: str, other: str) -> UserError:
    return UserError(
        f"{folder}: {one} and {other} differ in text or in more than one number, so their order is "
        "unclear. Expected are names that are alike apart from one number, such as frame_0001.png "
        "and frame_0002.png. Rename them, or move one elsewhere."
    )
