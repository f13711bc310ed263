"""The dance benchmark's submission file: written, read, and scored by its protocol."""

import csv
import itertools
import os
from collections.abc import Sequence
from typing import BinaryIO

import numpy as np

from keras_cvae.errors import UserError, first_line
from keras_cvae.evaluation.finite import check_prediction
from keras_cvae.files import check_regular, written_whole
from keras_cvae.images import chosen_frame_size, to_uint8
from keras_cvae.metrics import frame_psnr
from keras_cvae.progress import Progress

SCORED_FRAMES = 600  # frames 1..600 of each sequence, of 630
_LONGEST_VALUE = 32  # bytes; the header's are the longest, such as "pixel_123456789",
_SHOWN = 40  # characters of a wrong value in a message
_COUNTED = 10_000  # frames too many that are counted
PUBLIC, PRIVATE = range(0, 3), range(3, 5)  # sequences


def write_submission(path: str | os.PathLike, predictions: Sequence[np.ndarray]) -> None:
    """Writes predicted videos as the benchmark's csv file, whole or not at all.

    A header `id,pixel_0,...`, then a row per frame, the given one included, sequence after
    sequence: the row's number from 0, and the frame's integers rint(255 x), x clipped to [0, 1],
    in the order channel, height, width.

    Args:
        path: str or `Path`, the new file.
        predictions: (T, H, W, 3) float arrays in [0, 1], frame 0 being the given one.

    Raises:
        NotFiniteError: if one of them is not finite; nothing is written.
    """
    for number, prediction in enumerate(predictions):
        check_prediction(prediction, f"test sequence {number}")
    total = sum(map(len, predictions))
    with (
        Progress(total, f"writing {path}") as progress,
        written_whole(path) as partial,
        open(partial, "w", newline="") as file,
    ):
        writer = csv.writer(file)
        for number, frame in enumerate(itertools.chain.from_iterable(predictions)):
            values = to_uint8(frame).transpose(2, 0, 1).ravel()
            if number == 0:
                writer.writerow(["id", *(f"pixel_{i}" for i in range(values.size))])
            writer.writerow([number, *values.tolist()])
            progress.update()


def check_header(path: str | os.PathLike, frame_size: tuple[int, int]) -> None:
    """Checks that a submission file's columns are those of a frame size.

    Args:
        path: the file.
        frame_size: (height, width).

    Raises:
        UserError: if they are not, or it is no file.
    """
    with open(check_regular(path), "rb") as file:
        _read_header(path, file, frame_size)


def _read_header(path: str | os.PathLike, file: BinaryIO, frame_size: tuple[int, int]) -> int:
    """The number of pixels, from the frame size."""
    height, width = chosen_frame_size(frame_size)
    pixels = 3 * height * width
    header = _read_row(path, file, 1, pixels) or []
    if header[:1] != ["id"] or len(header) != pixels + 1:
        begin = ",".join(header[:2])[:_SHOWN]
        raise UserError(
            f"{path}, line 1: expected a header of id and {pixels} pixels, for frames of {height} "
            f"x {width} (height x width); got {len(header)} columns beginning with {begin!r}."
        )
    return pixels


def _read_row(path: str | os.PathLike, file: BinaryIO, line: int, pixels: int) -> list[str] | None:
    """The values of the next line; `None` at the end of the file."""
    longest = (pixels + 1) * _LONGEST_VALUE
    data = file.readline(longest + 1)
    if len(data) > longest:
        raise UserError(
            f"{path}, line {line}: it is longer than a row of {pixels} pixels can be. Give a "
            "submission file of this frame size."
        )
    try:
        # One line at a time: a quotation mark that is never closed would take the whole file.
        return next(csv.reader([data.decode("utf-8-sig")]), []) if data else None
    except (UnicodeDecodeError, csv.Error) as error:
        raise UserError(
            f"{path}, line {line}: it is no csv in UTF-8 ({first_line(error)}). Give a submission "
            "file."
        ) from error


def read_submission(
    path: str | os.PathLike, lengths: Sequence[int], frame_size: tuple[int, int]
) -> list[np.ndarray]:
    """Reads a submission file as videos.

    Args:
        path: str or `Path`.
        lengths: list of int, the frames of each sequence, the given one included.
        frame_size: (height, width).

    Returns:
        list of (T, H, W, 3) uint8 arrays.

    Raises:
        UserError: if the file does not hold exactly these frames; it says in which line.
    """
    height, width = chosen_frame_size(frame_size)
    frames = np.empty((sum(lengths), height, width, 3), np.uint8)
    number = 0
    with (
        Progress(len(frames), f"reading {path}") as progress,
        open(check_regular(path), "rb") as file,
    ):
        pixels = _read_header(path, file, frame_size)
        while (row := _read_row(path, file, number + 2, pixels)) is not None:
            if number < len(frames):
                frame = _frame(f"{path}, line {number + 2}", number, row, pixels)
                frames[number] = frame.reshape(3, height, width).transpose(1, 2, 0)
                progress.update()
            number += 1
            if number > len(frames) + _COUNTED:
                break
    if number != len(frames):
        more = " or more" if number > len(frames) + _COUNTED else ""
        raise UserError(
            f"{path} has {number} frames{more}; the true sequences have {len(frames)} "
            f"({' + '.join(map(str, lengths))}, the given frames included)."
        )
    return np.split(frames, np.cumsum(lengths)[:-1])


def _frame(where: str, number: int, row: list[str], pixels: int) -> np.ndarray:
    if len(row) != pixels + 1:
        raise UserError(f"{where}: expected {pixels + 1} values; got {len(row)}.")
    if row[0] != str(number):
        raise UserError(f"{where}: expected the id {number}; got {row[0][:_SHOWN]!r}.")
    try:
        values = list(map(int, row[1:]))
    except ValueError:  # also of thousands of digits
        raise UserError(f"{where}: a pixel is not a whole number.") from None
    low, high = min(values), max(values)
    if low < 0 or high > 255:
        got = " to ".join(str(value)[:_SHOWN] for value in (low, high))
        raise UserError(f"{where}: pixels must lie in 0..255; got {got}.")
    return np.array(values, np.uint8)


def score(predictions: Sequence[np.ndarray], truths: Sequence[np.ndarray]) -> dict[str, float]:
    """The benchmark's score: mean PSNR over frames 1..600 at range 255, sequences weighted equally.

    Args:
        predictions: list of (T, H, W, 3) uint8 arrays.
        truths: list of the true sequences, likewise.

    Returns:
        dict of floats in dB: `mean` over all sequences and, where there are the five sequences of
        at least 601 frames that the protocol needs, `public` (0 to 2) and `private` (3 and 4).
    """
    means = [
        float(frame_psnr(truth[1 : SCORED_FRAMES + 1], predicted[1 : SCORED_FRAMES + 1]).mean())
        for truth, predicted in zip(truths, predictions, strict=True)
    ]
    scores = {"mean": float(np.mean(means))}
    if is_complete(truths):
        scores["public"] = float(np.mean([means[i] for i in PUBLIC]))
        scores["private"] = float(np.mean([means[i] for i in PRIVATE]))
    return scores


def is_complete(truths: Sequence[np.ndarray]) -> bool:
    """Whether there are five sequences of at least 601 frames, as the protocol needs."""
    return len(truths) == PRIVATE.stop and all(len(t) > SCORED_FRAMES for t in truths)
