"""What was found in each frame, made into smooth tracks without gaps."""

from typing import NamedTuple

import numpy as np

from keras_cvae.poses.body import CORE, height

SHORTEST = 16  # frames of a segment: one training clip
VISIBLE = 0.3  # score below which a joint is not seen
_GAP = 0.25  # seconds of a joint's absence that are interpolated
_JUMP = 0.5  # of the body's height from frame to frame: another person
_WINDOW = 0.23  # seconds that are smoothed over


class Track(NamedTuple):
    """The joints of one person through a video.

    Args:
        joints: (T, 19, 2) float64, in pixels of the video; NaN where a joint is not seen.
        segments: the frames (first, end) in which the person is there without interruption, each at
            least `SHORTEST` long.
        height: of the body in pixels, see `body.height`.
        found: share of the frames in which the person was found.
        jitter: the mean second difference of the joints before smoothing, as a share of the
            height. It shows failures that the estimator's scores hide.
    """

    joints: np.ndarray
    segments: list[tuple[int, int]]
    height: float
    found: float
    jitter: float


def make_track(
    joints: np.ndarray, scores: np.ndarray, fps: float, shortest: int = SHORTEST
) -> Track:
    """Cleans the joints that were found in each frame.

    Joints of low score are removed, gaps of up to a quarter of a second interpolated, and the rest
    is smoothed: a median of three frames and a quadratic fit (Savitzky and Golay, 1964) over about
    a quarter of a second. Longer gaps of shoulders or hips, and jumps of the hips by more than half
    of the body, divide the video into segments.

    Args:
        joints: (T, 19, 2) in pixels, NaN where nobody was found.
        scores: (T, 19) in [0, 1].
        fps: frames per second.
        shortest: frames of a segment, at least.

    Returns:
        `Track`; without segments if the person is nowhere there for long enough.
    """
    found = ~np.isnan(joints).all(axis=(1, 2))
    seen = np.where((scores >= VISIBLE)[..., None], joints, np.nan)
    filled = fill_gaps(seen, max(1, int(_GAP * fps)))
    there = ~np.isnan(filled[:, CORE]).any(axis=(1, 2))
    if not there.any():
        return Track(seen, [], float("nan"), float(found.mean()), float("nan"))
    body = height(filled)
    jumps = _jumps(seen[:, CORE[2:]].mean(axis=1), _JUMP * body)
    for before, after in jumps:  # what was filled in between belongs to nobody
        there[before + 1 : after] = False
    segments = _segments(there, {after for _, after in jumps}, shortest)
    smoothed = np.full_like(filled, np.nan)
    width = _odd(_WINDOW * fps)
    for first, end in segments:
        smoothed[first:end] = _smooth(filled[first:end], width)
    shaking = jitter(seen, segments, body)
    if np.isnan(shaking):  # no joint was seen in three frames running
        shaking = jitter(filled, segments, body)
    return Track(smoothed, segments, body, float(found.mean()), shaking)


def fill_gaps(values: np.ndarray, most: int) -> np.ndarray:
    """Interpolates linearly over short gaps.

    Args:
        values: (T, ...), NaN in gaps. Gaps at the beginning and end stay.
        most: the longest gap that is filled, in frames.

    Returns:
        A copy of the same shape.
    """
    columns = values.reshape(len(values), -1).copy()
    for column in columns.T:
        known = np.flatnonzero(~np.isnan(column))
        for before, after in zip(known[:-1], known[1:], strict=True):
            if 1 < after - before <= most + 1:
                inside = np.arange(before + 1, after)
                column[inside] = np.interp(inside, [before, after], column[[before, after]])
    return columns.reshape(values.shape)


def jitter(joints: np.ndarray, segments: list[tuple[int, int]], body: float) -> float:
    """The mean absolute second difference of the joints within the segments.

    Args:
        joints: (T, 19, 2) in pixels.
        segments: (first, end) of each.
        body: height in pixels.

    Returns:
        As a share of the height; NaN if there is nothing to measure.
    """
    bends = [np.abs(np.diff(joints[first:end], 2, axis=0)).ravel() for first, end in segments]
    values = np.concatenate(bends) if bends else np.empty(0)
    values = values[~np.isnan(values)]
    return float(values.mean() / body) if len(values) else float("nan")


def _jumps(hips: np.ndarray, most: float) -> list[tuple[int, int]]:
    """Pairs of frames, each the next to the other in which hips are seen, with a jump between."""
    known = np.flatnonzero(~np.isnan(hips).any(axis=1))
    steps = np.linalg.norm(np.diff(hips[known], axis=0), axis=1)
    return [(int(known[n]), int(known[n + 1])) for n in np.flatnonzero(steps > most)]


def _segments(there: np.ndarray, begins: set[int], shortest: int) -> list[tuple[int, int]]:
    segments, first = [], None
    for number, present in enumerate([*there.tolist(), False]):
        if first is not None and (not present or number in begins):
            if number - first >= shortest:
                segments.append((first, number))
            first = None
        if present and first is None:
            first = number
    return segments


def _odd(frames: float) -> int:
    return 2 * round((frames - 1) / 2) + 1


def _smooth(joints: np.ndarray, width: int) -> np.ndarray:
    """Smooths each joint within each of its uninterrupted pieces of at least `width` frames."""
    if width < 3:
        return joints
    result = joints.copy()
    for joint in range(joints.shape[1]):
        seen = ~np.isnan(joints[:, joint]).any(axis=1)
        edges = np.flatnonzero(np.diff(np.r_[False, seen, False].astype(int)))
        for first, end in edges.reshape(-1, 2).tolist():
            if end - first >= width:
                result[first:end, joint] = _smooth_piece(joints[first:end, joint], width)
    return result


def _smooth_piece(values: np.ndarray, width: int) -> np.ndarray:
    """(T, 2): a median of three, then the value of a parabola fitted to `width` frames."""
    values = values.copy()
    values[1:-1] = np.median(np.stack([values[:-2], values[1:-1], values[2:]]), axis=0)
    half = width // 2
    offsets = np.arange(-half, half + 1)
    weights = np.linalg.pinv(np.vander(offsets, 3, increasing=True))[0]
    # Continued as a reflection through the end point, which keeps its direction.
    padded = np.pad(values, ((half, half), (0, 0)), mode="reflect", reflect_type="odd")
    return sum(weight * padded[n : n + len(values)] for n, weight in enumerate(weights))
