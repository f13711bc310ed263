"""The dancer's position during a dance, and its keyframes."""

import numpy as np

SIDES = ("left", "right")
BODY = ("x", "hip", "yaw", "pitch", "roll", "twist", "head_yaw", "head_pitch", "head_roll")
FOOT = ("x", "z", "yaw", "lift", "point")
BEAT = (8.5, 12.0)  # frames; 120 to 170 beats a minute at 24 frames a second
_STANCE = 0.075  # from the middle to an ankle, in body heights
_TURNOUT = 16.0  # degrees


class Planner:
    """The dancer's position after the moves so far, and the keyframes of these moves.

    Args:
        rng: generator of all random choices.
        reach: the position stays between `-reach` and `reach`, in body heights.

    Attributes:
        x: the position between the feet, in body heights; larger is further right in the picture.
        yaw: direction of the body in degrees; 0 faces the camera.
        now: time of the last keyframe, in frames.
        beat: length of a beat in frames.
        times, keys: of the keyframes. A key has a value for each of `BODY`, then for each of `FOOT`
            of the left and of the right foot.
    """

    def __init__(self, rng: np.random.Generator, reach: float):
        self.rng, self.reach = rng, reach
        self.x = float(rng.uniform(-reach, reach))
        self.yaw = 0.0
        self.now = 0.0
        self.beat = float(rng.uniform(*BEAT))
        self.times: list[float] = []
        self.keys: list[list[float]] = []
        self._feet: dict[str, float] = {}
        self.key(0, **self.at_both())

    def sign(self, side: str) -> int:
        """1 for `"left"`, -1 for `"right"`."""
        return 1 if side == "left" else -1

    def sides(self) -> list[str]:
        """Both sides, in random order."""
        return list(SIDES if self.rng.random() < 0.5 else SIDES[::-1])

    def lead_and_trail(self, direction: int) -> tuple[str, str]:
        """The foot that is further along in a direction of the picture, and the other one."""
        left_leads = (np.cos(np.radians(self.yaw)) > 0) == (direction > 0)
        return ("left", "right") if left_leads else ("right", "left")

    def reachable(self, step: float) -> float:
        """The position after a step, or the end of the reach."""
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
        """Keyframe values that put a foot near the dancer's position. Lengths are in body heights.

        Args:
            foot: `"left"` or `"right"`.
            width: distance from the middle to the outside; `inside` is subtracted from it.
            inside: distance across to the other side.
            ahead: distance forward.
            turnout: angle of the toes to the outside, in degrees.
            lift: height of the foot over the floor.
            point: angle by which the toes point down, in degrees.

        Returns:
            dict of the values, such as `"left_x"`.
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
        """`at` for both feet."""
        return self.at("left", **where) | self.at("right", **where)

    def key(self, beats: float, **values: float) -> None:
        """Appends a keyframe. Values of the feet that are not given stay; the body's become 0.

        Args:
            beats: time since the last keyframe.
            **values: of `BODY`, and of the feet as `at` gives them.
        """
        self.now += beats * self.beat
        self._feet |= {name: v for name, v in values.items() if name.startswith(SIDES)}
        body = dict.fromkeys(BODY, 0.0) | {"x": self.x, "yaw": self.yaw}
        body |= {name: v for name, v in values.items() if name in body}
        self.times.append(self.now)
        feet = [self._feet[f"{side}_{name}"] for side in SIDES for name in FOOT]
        self.keys.append([*body.values(), *feet])
