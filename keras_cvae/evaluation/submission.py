"""The dance benchmark's submission file: written, read, and scored by its protocol."""

import csv
import itertools
import os
from collections.abc import Sequence

import numpy as np

from keras_cvae.errors import UserError
from keras_cvae.files import written_whole
from keras_cvae.images import to_uint8
from keras_cvae.metrics import frame_psnr
from keras_cvae.progress import Progress

SCORED_FRAMES = 600  # frames 1..600 of each sequence, of 630
PUBLIC, PRIVATE = range(0, 3), range(3, 5)  # sequences


def write_submission(path: str | os.PathLike, predictions: Sequence[np.ndarray]) -> None:
    """Writes predicted videos as the benchmark's csv file, whole or not at all.

    A header `id,pixel_0,...`, then a row per frame, the given one included, sequence after
    sequence: the row's number from 0, and the frame's integers rint(255 x), x clipped to [0, 1],
    in the order channel, height, width.

    Args:
        path: str or `Path`, the new file.
        predictions: (T, H, W, 3) float arrays in [0, 1], frame 0 being the given one.
    """
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
    """Raises a `UserError` where a submission file's columns are not those of a frame size."""
    with open(path, newline="") as file:
        header = next(csv.reader(file), [])
    height, width = frame_size
    pixels = 3 * height * width
    if header[:1] != ["id"] or len(header) != pixels + 1:
        raise UserError(
            f"{path}: expected a header of id and {pixels} pixels, for frames of {height} x "
            f"{width} (height x width); got {len(header)} columns beginning with "
            f"{','.join(header[:2])!r}."
        )


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
    check_header(path, frame_size)
    height, width = frame_size
    pixels = 3 * height * width
    frames = np.empty((sum(lengths), height, width, 3), np.uint8)
    number = -1
    with Progress(len(frames), f"reading {path}") as progress, open(path, newline="") as file:
        rows = csv.reader(file)
        next(rows)
        for number, row in enumerate(rows):
            if number >= len(frames):
                continue  # counted, for the message
            frame = _frame(path, number, row, pixels).reshape(3, height, width)
            frames[number] = frame.transpose(1, 2, 0)
            progress.update()
    if number + 1 != len(frames):
        raise UserError(
            f"{path} has {number + 1} frames; the true sequences have {len(frames)} "
            f"({' + '.join(map(str, lengths))}, the given frames included)."
        )
    return np.split(frames, np.cumsum(lengths)[:-1])


def _frame(path, number, row, pixels):
    where = f"{path}, line {number + 2}"
    if len(row) != pixels + 1:
        raise UserError(f"{where}: expected {pixels + 1} values; got {len(row)}.")
    if row[0] != str(number):
        raise UserError(f"{where}: expected the id {number}; got {row[0]!r}.")
    try:
        values = list(map(int, row[1:]))
    except ValueError:
        raise UserError(f"{where}: a pixel is not a whole number.") from None
    if min(values) < 0 or max(values) > 255:
        raise UserError(f"{where}: pixels must lie in 0..255; got {min(values)} to {max(values)}.")
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
