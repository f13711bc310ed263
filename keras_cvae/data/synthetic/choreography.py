"""A dance as smooth curves through the keyframes of random moves."""

from collections.abc import Sequence
from typing import Any, NamedTuple

import numpy as np

from keras_cvae.data.synthetic.moves import ARM_PATTERNS, LEG_MOVES, RELAXED, arm_phrases
from keras_cvae.data.synthetic.planner import BEAT, BODY, FOOT, SIDES, Planner

_SECTION = 6  # moves before the tempo changes
_PATIENCE = 4  # moves before another goal is chosen, also if this one is not reached
_ARM_SPEED = 105.0  # degrees a beat


class Motion(NamedTuple):
    """Curves of a dance, one value per frame; lengths in body heights, angles in degrees.

    Args:
        body: dict of (T,) arrays: `x` of the body, `hip` (height above that in standing), `yaw` (0
            faces the camera, 90 the right of the picture), `pitch`, `roll` and `twist` of the
            trunk, `head_yaw`, `head_pitch`, `head_roll`.
        feet: for each side a dict of (T,) arrays: `x`, `z` (towards the camera), `yaw`, `lift` of
            the foot over the floor, `point` (toes down).
        arms: for each side a (T, 4) array of the four angles of an arm (see `moves`).
    """

    body: dict[str, np.ndarray]
    feet: dict[str, dict[str, np.ndarray]]
    arms: dict[str, np.ndarray]


class Deck:
    """Samples items without replacement: each comes once, in random order, before any comes again.

    Args:
        rng: generator of the order.
        items: what is sampled.
    """

    def __init__(self, rng: np.random.Generator, items: Sequence):
        self.rng, self.items = rng, items
        self.left: list[int] = []

    def draw(self) -> Any:
        """The next item."""
        if not self.left:
            self.left = self.rng.permutation(len(self.items)).tolist()
        return self.items[self.left.pop()]


def choreograph(rng: np.random.Generator, frames: int, reach: float) -> Motion:
    """Samples a dance.

    Moves are sampled one after the other, so a shorter dance is the beginning of a longer one.

    Args:
        rng: generator of all random choices.
        frames: the number of frames, 24 per second.
        reach: the largest distance of the dancer from the middle, in body heights.

    Returns:
        The curves of the dance.
    """
    plan = Planner(rng, reach)
    legs = Deck(rng, LEG_MOVES)
    patterns = Deck(rng, list(ARM_PATTERNS))
    arm_times = {side: [0.0] for side in SIDES}
    arm_keys = {side: [np.array(RELAXED, float)] for side in SIDES}
    moves, goal, since = 0, plan.x, 0
    # A little longer than needed, because the slope at a keyframe depends on the next one.
    while plan.now < frames + 2 * BEAT[1]:
        if moves % _SECTION == 0:
            plan.beat = float(rng.uniform(*BEAT))
        if since == _PATIENCE or abs(goal - plan.x) < 0.15:
            goal, since = -np.sign(plan.x) * rng.uniform(0.3, 1) * reach, 0
        moves, since, start = moves + 1, since + 1, plan.now
        legs.draw()(plan, 1 if goal > plan.x else -1)
        phrases = arm_phrases(rng, patterns.draw, (plan.now - start) / plan.beat)
        for side, phrase in zip(SIDES, phrases, strict=True):
            now = start
            for beats, angles in phrase:
                now += beats * plan.beat
                change = angles - arm_keys[side][-1]
                slower = min(1.0, _ARM_SPEED * beats / np.abs(change).max())
                arm_times[side].append(now)
                arm_keys[side].append(arm_keys[side][-1] + slower * change)

    at = np.arange(frames, dtype=np.float64)
    times, keys = np.array(plan.times), np.array(plan.keys)
    curves = interpolate(times, keys, at)
    body = {name: curves[:, i] for i, name in enumerate(BODY)}
    feet = {}
    for index, side in enumerate(SIDES):
        first = len(BODY) + index * len(FOOT)
        foot = {name: curves[:, first + i] for i, name in enumerate(FOOT)}
        foot["lift"] = foot["lift"] + _step_lift(times, keys[:, first : first + 2], at)
        feet[side] = foot
    arms = {s: interpolate(np.array(arm_times[s]), np.array(arm_keys[s]), at) for s in SIDES}
    return Motion(body, feet, arms)


def _step_lift(times: np.ndarray, places: np.ndarray, at: np.ndarray) -> np.ndarray:
    """Raises a foot while it goes from one place to another."""
    segment = np.clip(np.searchsorted(times, at, side="right") - 1, 0, len(times) - 2)
    distance = np.linalg.norm(np.diff(places, axis=0), axis=1)[segment]
    along = (at - times[segment]) / (times[segment + 1] - times[segment])
    return np.minimum(0.25 * distance, 0.06) * np.sin(np.pi * along) ** 2


def interpolate(times: np.ndarray, keys: np.ndarray, at: np.ndarray) -> np.ndarray:
    """Monotone cubic curves through keyframes: smooth, and never beyond the keys.

    Between two neighbouring keys of equal value a curve is constant, which keeps feet on the floor.
    Slopes are the harmonic means of Fritsch and Butland (1984).

    Args:
        times: (K,), increasing.
        keys: (K, C), the values at those times.
        at: (T,), times from the first key to the last.

    Returns:
        (T, C), the values at `at`.
    """
    step = np.diff(times)[:, None]
    slope = np.diff(keys, axis=0) / step
    before, after = slope[:-1], slope[1:]
    same = before * after > 0
    first, second = 2 * step[1:] + step[:-1], step[1:] + 2 * step[:-1]
    total = first * after + second * before
    inner = (first + second) * before * after / np.where(same, total, 1.0)
    still = np.zeros((1, keys.shape[1]))
    tangent = np.concatenate([still, np.where(same, inner, 0.0), still])

    i = np.clip(np.searchsorted(times, at, side="right") - 1, 0, len(times) - 2)
    h = step[i]
    u = ((at - times[i]) / h[:, 0])[:, None]
    return (
        (1 + 2 * u) * (1 - u) ** 2 * keys[i]
        + u * (1 - u) ** 2 * h * tangent[i]
        + u**2 * (3 - 2 * u) * keys[i + 1]
        + u**2 * (u - 1) * h * tangent[i + 1]
    )
