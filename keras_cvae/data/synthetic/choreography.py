"""A dance as curves: keyframes of random moves, one after the other, blended smoothly."""

from collections.abc import Sequence
from typing import NamedTuple

import numpy as np

from keras_cvae.data.synthetic.moves import ARM_PATTERNS, LEG_MOVES, RELAXED, arm_phrases

SIDES = ("left", "right")
_BODY = ("x", "hip", "yaw", "pitch", "roll", "twist", "head_yaw", "head_pitch", "head_roll")
_FOOT = ("x", "z", "yaw", "lift", "point")
_STANCE = 0.075  # from the middle to an ankle, in body heights
_TURNOUT = 16.0  # degrees
_BEAT = (8.5, 12.0)  # frames; 120 to 170 beats a minute at 24 frames a second
_SECTION = 6  # moves before the tempo changes
_PATIENCE = 4  # moves before another goal is chosen, reached or not
_ARM_SPEED = 105.0  # degrees a beat


class Motion(NamedTuple):
    """Curves of a dance, one value a frame; lengths in body heights, angles in degrees.

    Args:
        body: dict of `(T,)` arrays: `x` of the body, `hip` (how much higher than in standing),
            `yaw` (0 faces the camera, 90 the right of the picture), `pitch`, `roll` and `twist` of
            the trunk, `head_yaw`, `head_pitch`, `head_roll`.
        feet: for each side a dict of `(T,)` arrays: `x`, `z` (towards the camera), `yaw`, `lift` of
            the foot over the floor, `point` (toes down).
        arms: for each side a `(T, 4)` array of the four angles of an arm (see `moves`).
    """

    body: dict[str, np.ndarray]
    feet: dict[str, dict[str, np.ndarray]]
    arms: dict[str, np.ndarray]


class Planner:
    """Where the dancer stands after the moves so far, and the keyframes that led there.

    Args:
        rng: source of every choice.
        reach: the dancer's place stays within `-reach` and `reach`, in body heights.
    """

    def __init__(self, rng: np.random.Generator, reach: float):
        self.rng, self.reach = rng, reach
        self.x = float(rng.uniform(-reach, reach))  # the place of the dancer, between the feet
        self.yaw = 0.0
        self.now = 0.0
        self.beat = float(rng.uniform(*_BEAT))
        self.times: list[float] = []
        self.keys: list[list[float]] = []
        self._feet: dict[str, float] = {}
        self.key(0, **self.at_both())

    def sign(self, side: str) -> int:
        return 1 if side == "left" else -1

    def sides(self) -> list[str]:
        return list(SIDES if self.rng.random() < 0.5 else SIDES[::-1])

    def lead_and_trail(self, direction: int) -> tuple[str, str]:
        """The foot that is further along in a direction of the picture, and the other one."""
        left_leads = (np.cos(np.radians(self.yaw)) > 0) == (direction > 0)
        return SIDES if left_leads else SIDES[::-1]

    def reachable(self, step: float) -> float:
        return float(np.clip(self.x + step, -self.reach, self.reach))

    def at(
        self,
        foot: str,
        width: float = _STANCE,
        inside: float = 0.0,
        ahead: float = 0.0,
        turnout: float = _TURNOUT,
        lift: float = 0.0,
        point: float = 0.0,
    ) -> dict[str, float]:
        """Keyframe values that put a foot beside the dancer's present place.

        Args:
            foot: `"left"` or `"right"`.
            width: distance from the middle to the outside; `inside` is subtracted from it.
            inside: distance across to the other side.
            ahead: distance forward.
            turnout: angle of the toes to the outside, in degrees.
            lift: height of the foot over the floor.
            point: angle by which the toes point down, in degrees.
        """
        cos, sin = np.cos(np.radians(self.yaw)), np.sin(np.radians(self.yaw))
        out = self.sign(foot) * (width - inside)
        return {
            f"{foot}_x": self.x + out * cos + ahead * sin,
            f"{foot}_z": -out * sin + ahead * cos,
            f"{foot}_yaw": self.yaw + self.sign(foot) * turnout,
            f"{foot}_lift": lift,
            f"{foot}_point": point,
        }

    def at_both(self, **where: float) -> dict[str, float]:
        return self.at("left", **where) | self.at("right", **where)

    def key(self, beats: float, **values: float) -> None:
        """Appends a keyframe. Feet stay where they are unless given; the body relaxes."""
        self.now += beats * self.beat
        self._feet |= {name: v for name, v in values.items() if name.startswith(SIDES)}
        body = dict.fromkeys(_BODY, 0.0) | {"x": self.x, "yaw": self.yaw}
        body |= {name: v for name, v in values.items() if name in body}
        self.times.append(self.now)
        feet = [self._feet[f"{side}_{name}"] for side in SIDES for name in _FOOT]
        self.keys.append([*body.values(), *feet])


class Deck:
    """Draws every item once, in random order, before any comes again."""

    def __init__(self, rng: np.random.Generator, items: Sequence):
        self.rng, self.items, self.left = rng, items, []

    def draw(self):
        if not self.left:
            self.left = self.rng.permutation(len(self.items)).tolist()
        return self.items[self.left.pop()]


def choreograph(rng: np.random.Generator, frames: int, reach: float) -> Motion:
    """Makes up a dance.

    Moves are drawn one after the other, so a shorter dance is the beginning of a longer one.

    Args:
        rng: source of every choice.
        frames: length, 24 a second.
        reach: how far from the middle the dancer goes, in body heights.
    """
    plan = Planner(rng, reach)
    legs = Deck(rng, LEG_MOVES)
    patterns = Deck(rng, list(ARM_PATTERNS))
    arm_times = {side: [0.0] for side in SIDES}
    arm_keys = {side: [np.array(RELAXED, float)] for side in SIDES}
    moves, goal, since = 0, plan.x, 0
    # A little more than needed: the slope at a keyframe depends on the next one.
    while plan.now < frames + 2 * _BEAT[1]:
        if moves % _SECTION == 0:
            plan.beat = float(rng.uniform(*_BEAT))
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
    body = {name: curves[:, i] for i, name in enumerate(_BODY)}
    feet = {}
    for index, side in enumerate(SIDES):
        first = len(_BODY) + index * len(_FOOT)
        foot = {name: curves[:, first + i] for i, name in enumerate(_FOOT)}
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

    A value that two neighbouring keys share stays exactly still between them, which keeps feet on
    the floor. Slopes are the harmonic means of Fritsch and Butland (1984).

    Args:
        times: `(K,)`, increasing.
        keys: `(K, C)`, values at those times.
        at: `(T,)`, times from the first key to the last.

    Returns:
        `(T, C)` array.
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
