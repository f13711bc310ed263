"""Fits the poses of one body to another: the driver's movements with the trained person's limbs."""

from typing import NamedTuple

import numpy as np

from keras_cvae.errors import check_choice
from keras_cvae.poses.body import (
    BONES,
    HIPS,
    bone_lengths,
    floor_line,
    full_lengths,
    height,
    quiet,
    with_middles,
)

METHODS = ("limbs", "global", "none")
_RATIOS = (0.5, 2.0)  # of a bone's lengths: beyond, a length was measured wrongly
_FLOOR = 90  # percentile of the lower foot: most of the time it stands


class Body(NamedTuple):
    """What is known of a body and of the place where it stands.

    Args:
        lengths: (20,) full length of each of `body.BONES` in pixels, NaN if it was never seen.
        height: from nose to ankles in pixels.
        hips: (2,) the middle of the hips in pixels, the median over time.
        floor: y of the floor in pixels; NaN where no foot was ever seen.
    """

    lengths: np.ndarray
    height: float
    hips: np.ndarray
    floor: float


def measure(joints: np.ndarray) -> Body:
    """Measures a body.

    Args:
        joints: (T, 19, 2) in pixels, NaN where a joint is not seen. In some frame shoulders and
            hips must be seen.

    Returns:
        `Body`.
    """
    hips = quiet(np.nanmedian, with_middles(joints)[:, HIPS], axis=0)
    floor = float(quiet(np.nanpercentile, floor_line(joints), _FLOOR))
    return Body(full_lengths(joints), height(joints), hips, floor)


def normalise(joints: np.ndarray, target: Body, method: str = "limbs") -> np.ndarray:
    """Fits the poses of a driver to the body of another person.

    `"global"` scales all by the ratio of the heights, and puts the driver's floor and median
    position where the other person's are (where the feet of either are never seen, the hips).
    `"limbs"` then gives each bone the other person's length, from the hips outward, with its
    direction kept, and puts the lower foot where it was. `"none"` changes nothing.

    Args:
        joints: (T, 19, 2) of the driver, in pixels of any image.
        target: the body to fit to.
        method: one of `METHODS`.

    Returns:
        (T, 19, 2) in pixels of the target's frames.

    Raises:
        UserError: for an unknown method.
    """
    check_choice("normalisation", method, METHODS)
    if method == "none":
        return joints
    driver = measure(joints)
    have_floor = not np.isnan(driver.floor) and not np.isnan(target.floor)
    here, there = (
        np.array([body.hips[0], body.floor if have_floor else body.hips[1]])
        for body in (driver, target)
    )
    fitted = (joints - here) * (target.height / driver.height) + there
    return fitted if method == "global" else _with_limbs(fitted, target.lengths)


def _with_limbs(joints: np.ndarray, lengths: np.ndarray) -> np.ndarray:
    ratios = np.clip(lengths / full_lengths(joints), *_RATIOS)
    ratios = np.where(np.isnan(ratios), 1.0, ratios)
    points = with_middles(joints)
    # Where a joint is not seen, its place is taken by the one that it hangs on.
    before, after = points.copy(), points.copy()
    for (start, end), ratio in zip(BONES, ratios, strict=True):
        bone = (points[:, end] - before[:, start]) * ratio
        unseen = np.isnan(bone).any(axis=-1, keepdims=True)
        before[:, end] = np.where(unseen, before[:, start], points[:, end])
        after[:, end] = after[:, start] + np.where(unseen, 0.0, bone)
    fitted = np.where(np.isnan(joints), np.nan, after[:, : joints.shape[1]])
    sunk = floor_line(joints) - floor_line(fitted)
    if (known := np.flatnonzero(~np.isnan(sunk))).size:  # elsewhere no foot is seen
        fitted[..., 1] += np.interp(np.arange(len(sunk)), known, sunk[known])[:, None]
    return fitted


def bone_range(joints: np.ndarray, tolerance: float = 0.05) -> np.ndarray:
    """The lengths that each bone has in the image, but for the shortest and longest 1 %.

    Args:
        joints: (T, 19, 2).
        tolerance: by which the range is widened, as a share.

    Returns:
        (20, 2), the lowest and the highest; NaN for a bone that is never seen.
    """
    low, high = quiet(np.nanpercentile, bone_lengths(joints), (1, 99), axis=0)
    return np.stack([low * (1 - tolerance), high * (1 + tolerance)], axis=1)


def bones_outside(joints: np.ndarray, ranges: np.ndarray) -> float:
    """The share of bones whose length is outside a range: how well a body was fitted.

    Args:
        joints: (T, 19, 2).
        ranges: (20, 2) of `bone_range`.

    Returns:
        In [0, 1], over all bones that are seen and whose range is known; NaN if there is none.
    """
    lengths = bone_lengths(joints)
    known = ~np.isnan(lengths) & ~np.isnan(ranges[:, 0])
    outside = (lengths < ranges[:, 0]) | (lengths > ranges[:, 1])
    return float(outside[known].mean()) if known.any() else float("nan")
