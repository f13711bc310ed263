"""The dance benchmark's submission file: written, read, and scored by its protocol."""

import csv

import numpy as np

from keras_cvae.files import written_whole
from keras_cvae.metrics import frame_psnr

SCORED_FRAMES = 600  # frames 1..600 of each sequence, of 630
PUBLIC, PRIVATE = range(0, 3), range(3, 5)  # sequences


def write_submission(path, predictions, on_frame=lambda: None):
    """Writes predicted videos as the benchmark's csv file, whole or not at all.

    A header `id,pixel_0,...`, then a row per frame, the given one included, sequence after
    sequence: the row's number from 0, and the frame's integers rint(255 x), x clipped to [0, 1],
    in the order channel, height, width.

    Args:
        path: str or `Path`, the new file.
        predictions: iterable of (T, H, W, 3) float arrays in [0, 1], frame 0 being the given one.
        on_frame: function without arguments, called after each frame.
    """
    with written_whole(path) as partial, open(partial, "w", newline="") as file:
        writer = csv.writer(file)
        number = 0
        for prediction in predictions:
            for frame in prediction:
                values = np.rint(np.clip(frame, 0.0, 1.0) * 255.0).astype("uint8")
                if number == 0:
                    writer.writerow(["id", *(f"pixel_{i}" for i in range(values.size))])
                writer.writerow([number, *values.transpose(2, 0, 1).ravel().tolist()])
                number += 1
                on_frame()


def check_header(path, frame_size):
    """Raises a `ValueError` where a submission file's columns are not those of a frame size."""
    with open(path, newline="") as file:
        header = next(csv.reader(file), [])
    height, width = frame_size
    pixels = 3 * height * width
    if header[:1] != ["id"] or len(header) != pixels + 1:
        raise ValueError(
            f"{path}: expected a header of id and {pixels} pixels, for frames of {height} x "
            f"{width} (height x width; --frame-size); got {len(header)} columns beginning with "
            f"{','.join(header[:2])!r}."
        )


def read_submission(path, lengths, frame_size, on_frame=lambda: None):
    """Reads a submission file as videos.

    Args:
        path: str or `Path`.
        lengths: list of int, the frames of each sequence, the given one included.
        frame_size: (height, width).
        on_frame: function without arguments, called after each frame.

    Returns:
        list of (T, H, W, 3) uint8 arrays.

    Raises:
        ValueError: if the file does not hold exactly these frames; it says in which line.
    """
    check_header(path, frame_size)
    height, width = frame_size
    pixels = 3 * height * width
    frames = np.empty((sum(lengths), height, width, 3), np.uint8)
    number = -1
    with open(path, newline="") as file:
        rows = csv.reader(file)
        next(rows)
        for number, row in enumerate(rows):
            if number >= len(frames):
                continue  # counted, for the message
            frame = _frame(path, number, row, pixels).reshape(3, height, width)
            frames[number] = frame.transpose(1, 2, 0)
            on_frame()
    if number + 1 != len(frames):
        raise ValueError(
            f"{path} has {number + 1} frames; the true sequences have {len(frames)} "
            f"({' + '.join(map(str, lengths))}, the given frames included)."
        )
    return np.split(frames, np.cumsum(lengths)[:-1])


def _frame(path, number, row, pixels):
    where = f"{path}, line {number + 2}"
    if len(row) != pixels + 1:
        raise ValueError(f"{where}: expected {pixels + 1} values; got {len(row)}.")
    if row[0] != str(number):
        raise ValueError(f"{where}: expected the id {number}; got {row[0]!r}.")
    try:
        values = list(map(int, row[1:]))
    except ValueError:
        raise ValueError(f"{where}: a pixel is not a whole number.") from None
    if min(values) < 0 or max(values) > 255:
        raise ValueError(f"{where}: pixels must lie in 0..255; got {min(values)} to {max(values)}.")
    return np.array(values, np.uint8)


def score(predictions, truths):
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


def is_complete(truths):
    """Whether there are five sequences of at least 601 frames, as the protocol needs."""
    return len(truths) == PRIVATE.stop and all(len(t) > SCORED_FRAMES for t in truths)
