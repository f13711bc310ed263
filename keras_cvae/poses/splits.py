"""The segments of a video divided into training, validation and test, in time."""

from collections.abc import Sequence

from keras_cvae.errors import UserError
from keras_cvae.poses.track import SHORTEST

HELD_OUT = 0.2  # of the frames, the last ones: first half val, second half test
_FEWEST = {"train": SHORTEST, "val": 2, "test": 2}  # frames of a piece; shorter ones are dropped

Piece = tuple[int, int]  # first frame, and the one after the last


def divide(segments: Sequence[Piece], name: str) -> dict[str, list[Piece]]:
    """Divides the frames of a video: the last 20 % are val, then test.

    Args:
        segments: (first, end) of each, in order.
        name: of the video, in messages.

    Returns:
        dict with the pieces of `"train"`, `"val"` and `"test"`, at least one each.

    Raises:
        UserError: if there are too few frames.
    """
    total = sum(end - first for first, end in segments)
    held = round(HELD_OUT * total)
    bounds = {"train": (0, total - held), "val": (total - held, total - held // 2)}
    bounds["test"] = (bounds["val"][1], total)
    pieces = {split: _between(segments, *bounds[split], _FEWEST[split]) for split in bounds}
    if empty := [split for split, each in pieces.items() if not each]:
        raise UserError(
            f"{name}: {total} frames with a person, in {len(segments)} segments, are too few: "
            f"nothing is left for {' and '.join(empty)}. Give a longer video."
        )
    return pieces


def _between(segments: Sequence[Piece], low: int, high: int, fewest: int) -> list[Piece]:
    """The parts of segments that lie between two numbers of kept frames."""
    pieces, before = [], 0
    for first, end in segments:
        begin, stop = max(low - before, 0), min(high - before, end - first)
        if stop - begin >= fewest:
            pieces.append((first + begin, first + stop))
        before += end - first
    return pieces
