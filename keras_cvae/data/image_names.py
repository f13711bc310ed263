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


def entries_of(folder: Path, hint: str) -> list[Path]:
    """Lists a folder by name, without what systems leave behind (`IGNORED`).

    Args:
        folder: the folder.
        hint: the sentence of an error that says what is expected.

    Raises:
        UserError: if it does not exist, is no folder, cannot be read or has nothing else in it, or
            a name holds a line break or the like.
    """
    check_folder(folder, "The folder", hint)
    try:
        names = sorted(os.listdir(folder))
    except OSError as error:
        raise UserError(f"The folder {folder} cannot be read: {error.strerror}.") from error
    names = [name for name in names if name[0] != "." and name.lower() not in IGNORED]
    if not names:
        raise UserError(f"The folder {folder} is empty; expected images 0.png, 1.png, ...")
    for name in names:
        if not name.isprintable() and any(unicodedata.category(c) in _BREAKING for c in name):
            raise UserError(
                f"The folder {folder} holds {name!r}, a name with control characters. Rename it."
            )
    return [folder / name for name in names]


def by_number(files: list[Path]) -> dict[int, Path]:
    """Finds the number of each image of a folder.

    The names must be alike, apart from one number: `0.png`, `frame_000001.png`,
    `cam2_0001_rendered.png`. Where no number differs, as in a folder of one image, the last one of
    the name counts. Endings may differ.

    Args:
        files: all files of one folder, at least one.

    Returns:
        The files by their numbers.

    Raises:
        UserError: for a file that is no image, names of which the number is ambiguous, or two
            files of the same number.
    """
    for file in files:
        check_image_name(file)
    first = files[0]
    # Text and digits in turn, so every second piece is a number.
    pieces = {file: _DIGITS.split(file.stem) for file in files}
    model = pieces[first]
    if len(model) == 1:
        raise UserError(
            f"{first}: expected a number in the name, as in 0001.png or frame_0001.png. Rename it, "
            "or move it elsewhere."
        )
    differs: dict[int, Path] = {}  # which number, and the first file that has another
    for file, own in pieces.items():
        if own[::2] != model[::2]:
            raise _ambiguous(first, file)
        for place in range(1, len(own), 2):
            if own[place] != model[place]:
                differs.setdefault(place, file)
    if len(differs) > 1:
        places = list(differs)
        one, other = (differs[place] for place in places[:2])
        both = next((f for f in (one, other) if _count(pieces[f], model) > 1), None)
        raise _ambiguous(first, both) if both else _ambiguous(one, other)
    place = next(iter(differs), len(model) - 2)
    numbered: dict[int, Path] = {}
    for file, own in pieces.items():
        if (known := numbered.setdefault(int(own[place]), file)) is not file:
            raise UserError(
                f"{file.parent}: {known.name} and {file.name} are the same number; keep one."
            )
    return numbered


def check_image_name(file: Path) -> None:
    """Checks the ending of an image's name.

    Raises:
        UserError: if it is not one of `IMAGE_SUFFIXES`.
    """
    if file.suffix.lower() not in IMAGE_SUFFIXES:
        raise UserError(
            f"{file}: expected an image with one of the endings {', '.join(IMAGE_SUFFIXES)}. "
            "Rename it, or move it elsewhere."
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


def _count(own: list[str], model: list[str]) -> int:
    return sum(a != b for a, b in zip(own, model, strict=True))


def _ambiguous(one: Path, other: Path) -> UserError:
    return UserError(
        f"{one.parent}: {one.name} and {other.name} differ in text or in more than one number, so "
        "their order is unclear. Expected are names that are alike apart from one number, such as "
        "frame_0001.png and frame_0002.png. Rename them, or move one elsewhere."
    )
