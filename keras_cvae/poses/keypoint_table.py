"""What every reader of keypoints gives: one row for each person in each frame."""

from pathlib import Path
from typing import NamedTuple

import numpy as np

from keras_cvae.errors import UserError
from keras_cvae.poses.keypoint_formats import MEDIAPIPE_POINTS

MAX_FRAMES, MAX_PEOPLE = 1_000_000, 100  # of a file, and in one frame


class Table(NamedTuple):
    """The people of one file as it has them.

    Args:
        values: (N, K, 3) float64: x, y and score of the K points of each person. Anything may be
            in it, NaN and infinity too.
        frame: (N,) int64, the number of the frame that each person is in, from 0.
        frames: the number of frames, which is larger than every number in `frame`.
        frame_size: (height, width) in pixels, or `None` if the file does not say.
        fps: frames per second, or `None` if the file does not say.
        kind: how to name the file's content, or `None` for the name of its layout.
        lists_all: whether the file has an entry for each frame, see `keypoints.Keypoints`.
    """

    values: np.ndarray
    frame: np.ndarray
    frames: int
    frame_size: tuple[int, int] | None = None
    fps: float | None = None
    kind: str | None = None
    lists_all: bool = True


def table_of(path: Path, people: dict[int, list[np.ndarray]], first: int) -> Table:
    """Makes one table of people of the same number of points.

    Args:
        path: of the file, which errors name.
        people: by the number of the frame, (K, 3) for each person: x, y and score.
        first: the number of the first frame; none is below it.

    Returns:
        `Table`.

    Raises:
        UserError: if there is nobody, there are too many, or their numbers of points differ.
    """
    frames = max(people, default=first - 1) - first + 1
    check_bounds(path, frames, max(map(len, people.values()), default=0))
    numbers = [number for number, found in people.items() for _ in found]
    persons = [person for found in people.values() for person in found]
    if not persons:
        raise nobody(path, frames)
    sizes: dict[int, int] = {}  # number of points, and the first frame that has it
    for number, person in zip(numbers, persons, strict=True):
        sizes.setdefault(len(person), number)
    if len(sizes) > 1:
        (one, there), (other, here) = list(sizes.items())[:2]
        raise UserError(
            f"{path}: a person in frame {there} has {one} points, and one in frame {here} has "
            f"{other}. Expected is the same number for all. Keep the files of one tool."
        )
    return Table(np.stack(persons), np.array(numbers, np.int64) - first, frames)


def check_bounds(path: Path, frames: int, people: int) -> None:
    """Checks that there are not too many, before any list of that length is made.

    Args:
        path: of the file, which errors name.
        frames: the number of frames.
        people: the largest number of people in one of them.

    Raises:
        UserError: if there are more than a million frames, or a hundred people in one.
    """
    if frames > MAX_FRAMES:
        raise UserError(
            f"{path} has frames up to number {frames - 1}; expected are at most {MAX_FRAMES}. Cut "
            "it into shorter ones, or number the frames from 0."
        )
    if people > MAX_PEOPLE:
        raise UserError(
            f"{path} has {people} people in one frame; expected are at most {MAX_PEOPLE}. Keep the "
            "most important ones."
        )


def nobody(path: Path, frames: int) -> UserError:
    """The error of a file without a person.

    Args:
        path: of the file.
        frames: the number of frames it has.
    """
    return UserError(
        f"{path}: nobody was found in any of its {frames} frame(s). Expected is at least one "
        "person with a joint that was found. Give another file, or let the tool search again."
    )


def with_scores(values: np.ndarray, where: str) -> np.ndarray:
    """Makes x, y and score of the columns that a file has.

    Args:
        values: (..., K, 2) x and y; (..., K, 3) with the score; or (..., 33, 4), MediaPipe's x, y,
            depth and visibility.
        where: the begin of an error, such as `"people.json: frame 3"`.

    Returns:
        (..., K, 3) float64. A score that is not there is 1.

    Raises:
        UserError: for another number of columns.
    """
    width, points = values.shape[-1], values.shape[-2]
    if width == 2:
        return np.concatenate([values, np.ones((*values.shape[:-1], 1))], axis=-1)
    if width == 4 and points == MEDIAPIPE_POINTS:
        return values[..., [0, 1, 3]]
    if width != 3:
        raise UserError(
            f"{where}: each of {points} points has {width} numbers; expected are x and y, or x, y "
            "and score, or x, y, z and visibility of 33 points. Leave the others out."
        )
    return values
