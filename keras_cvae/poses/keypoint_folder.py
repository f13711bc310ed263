"""A folder of OpenPose: one JSON file for each frame of a video."""

import os
import re
from pathlib import Path

import numpy as np

from keras_cvae.data.image_names import missing_numbers
from keras_cvae.errors import UserError
from keras_cvae.files import read_json
from keras_cvae.poses.keypoint_json import person_of, shown
from keras_cvae.poses.keypoint_table import Table, check_bounds, table_of

_DIGITS = re.compile("([0-9]+)")


def read_folder(folder: Path) -> Table:
    """Reads what OpenPose wrote with its option `write_json`.

    Args:
        folder: holds `*_keypoints.json`, or else `*.json`, with one number that differs. Other
            files, such as images, may lie beside them.

    Returns:
        `Table`; frame 0 is the file of the lowest number.

    Raises:
        UserError: if there is no such file, a number is missing or ambiguous, or a file cannot be
            read or holds something else.
    """
    numbered = numbered_files(folder)
    if missing := missing_numbers(numbered):
        raise UserError(
            f"{folder} has no file of the frame {missing}; expected are numbers without a gap. A "
            "frame with nobody needs a file with no people."
        )
    check_bounds(folder, len(numbered), 0)
    people = {number: _people_of(numbered[number]) for number in sorted(numbered)}
    return table_of(folder, people, min(people))


def numbered_files(folder: Path) -> dict[int, Path]:
    """Finds the number of each keypoint file of a folder.

    The names must be alike, apart from one number, as in `dance_000000000012_keypoints.json`. In a
    folder of one file the last number of the name counts.

    Args:
        folder: the folder.

    Returns:
        The files by their numbers, in no order.

    Raises:
        UserError: if there is none, or the number of one is ambiguous.
    """
    try:
        listed = sorted(os.listdir(folder))
    except OSError as error:
        raise UserError(f"The folder {folder} cannot be read: {error.strerror}.") from error
    names = [name for name in listed if name.lower().endswith(".json") and name[0] != "."]
    names = [name for name in names if name.lower().endswith("_keypoints.json")] or names
    if not names:
        raise UserError(
            f"The folder {folder} has no JSON file; expected are OpenPose's, one for each frame, "
            "such as 000000000012_keypoints.json."
        )
    if odd := [name for name in names if not name.isprintable()]:
        raise UserError(
            f"{folder} holds {ascii(odd[0])}, a name with control characters. Rename it."
        )
    # Text and digits in turn, so every second piece is a number.
    pieces = {name: _DIGITS.split(name) for name in names}
    model = pieces[names[0]]
    texts = {tuple(own[::2]) for own in pieces.values()}
    changing = [
        place
        for place in range(1, len(model), 2)
        if len(texts) == 1 and len({own[place] for own in pieces.values()}) > 1
    ]
    if len(texts) > 1 or len(changing) > 1 or len(model) == 1:
        raise UserError(
            f"{folder}: the names of its {len(names)} JSON file(s), {ascii(names[0])} to "
            f"{ascii(names[-1])}, must be alike apart from one number, that of the frame, such as "
            "000000000012_keypoints.json. Move other files elsewhere."
        )
    place = next(iter(changing), len(model) - 2)
    numbered: dict[int, Path] = {}
    for name, own in pieces.items():
        known = numbered.setdefault(int(own[place]), folder / name)
        if known.name != name:
            raise UserError(
                f"{folder}: {ascii(known.name)} and {ascii(name)} are the same number; keep one."
            )
    return numbered


def _people_of(path: Path) -> list[np.ndarray]:
    data = read_json(path, "The keypoint file")
    people = data.get("people") if isinstance(data, dict) else None
    if not isinstance(people, list):
        raise UserError(
            f"{path} holds {shown(data)}; expected is OpenPose's object with a list of people. If "
            "it has all frames in it, give the file itself, not its folder."
        )
    return [person_of(person, f"{path}") for person in people]
