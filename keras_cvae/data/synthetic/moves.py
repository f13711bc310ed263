"""The moves of a dance: what legs and body do in each, and patterns for the arms.

Lengths are in body heights, angles in degrees, times in beats. A leg move is a function of a
`Planner` and a direction (+1 is the right of the picture) that appends keyframes. An arm pattern
is a function of the random generator that returns keyframes for one arm.

An arm has four angles. Two are of the upper arm: how far it is raised, from hanging (0) over
horizontal (90) to upright (180), and how far it is to the front, from sideways (0) to the front
(90). The other two are the same of the forearm.
"""

from collections.abc import Callable
from typing import TypeAlias

import numpy as np

from keras_cvae.data.synthetic.planner import Planner

ArmKeys: TypeAlias = list[tuple[float, float, float, float]]  # four angles each

RELAXED = (14, 20, 22, 45)
ON_HIP = (48, -15, 52, 165)


def bounce(plan: Planner, direction: int) -> None:
    """Bends the knees four times on the spot; the trunk twists from side to side."""
    for side in (1, -1, 1, -1):
        plan.key(0.5, hip=-0.06, twist=9 * side, head_roll=6 * side)
        plan.key(0.5, twist=12 * side, roll=3 * side)


def side_steps(plan: Planner, direction: int) -> None:
    """Two to four steps to one side; the other foot follows each step."""
    for _ in range(int(plan.rng.integers(2, 5))):
        lead, trail = plan.lead_and_trail(direction)
        start, plan.x = plan.x, plan.reachable(direction * plan.rng.uniform(0.2, 0.3))
        plan.key(0.5, x=(start + plan.x) / 2, hip=-0.04, roll=-4 * direction, **plan.at(lead))
        plan.key(0.5, hip=-0.02, roll=5 * direction, head_yaw=15 * direction)
        plan.key(0.5, hip=-0.03, **plan.at(trail))
        plan.key(0.5, roll=2 * direction)


def grapevine(plan: Planner, direction: int) -> None:
    """A step to the side, one behind, another one to the side, and the feet close."""
    lead, trail = plan.lead_and_trail(direction)
    start, plan.x = plan.x, plan.reachable(direction * 0.24)
    plan.key(0.75, x=(start + plan.x) / 2, hip=-0.02, **plan.at(lead))
    plan.key(0.5, twist=-15 * direction)
    start, plan.x = plan.x, plan.reachable(direction * 0.16)
    plan.key(
        0.75, x=start, hip=-0.05, twist=20 * direction, **plan.at(trail, inside=0.1, ahead=-0.1)
    )
    plan.key(0.5, twist=15 * direction)
    start, plan.x = plan.x, plan.reachable(direction * 0.22)
    plan.key(0.75, x=(start + plan.x) / 2, hip=-0.02, **plan.at(lead))
    plan.key(0.5)
    plan.key(0.75, hip=-0.05, roll=5 * direction, **plan.at(trail, lift=0.06))
    plan.key(0.5, **plan.at(trail))


def squat(plan: Planner, direction: int) -> None:
    """A wide stance, one or two deep bends of the knees, and back."""
    plan.key(0.5, hip=-0.02, roll=4, **plan.at("left", width=0.16, turnout=32))
    plan.key(0.5, hip=-0.03, **plan.at("right", width=0.16, turnout=32))
    depth = plan.rng.uniform(0.14, 0.2)
    for _ in range(int(plan.rng.integers(1, 3))):
        plan.key(1, hip=-depth, pitch=12, head_pitch=-6)
        plan.key(1, hip=-0.03)
    plan.key(0.5, hip=-0.02, **plan.at("left"))
    plan.key(0.5, **plan.at("right"))


def kicks(plan: Planner, direction: int) -> None:
    """One kick with each foot, forward or sideways."""
    forward = plan.rng.random() < 0.5
    for side in plan.sides():
        sign = plan.sign(side)
        lean = plan.x - 0.05 * sign
        plan.key(0.75, x=lean, hip=-0.03, roll=-3 * sign)
        aim = {"ahead": 0.38, "width": 0.1} if forward else {"ahead": 0.08, "width": 0.44}
        foot = plan.at(side, lift=0.27, point=40, **aim)
        plan.key(0.75, x=lean, hip=-0.01, roll=-7 * sign, pitch=-6, **foot)
        plan.key(0.75, hip=-0.04, **plan.at(side))
    plan.key(0.5)


def jumps(plan: Planner, direction: int) -> None:
    """One or two jumps, straight up or with the legs apart."""
    width = 0.2 if plan.rng.random() < 0.5 else 0.07  # a star jump, or straight up
    for _ in range(int(plan.rng.integers(1, 3))):
        height = plan.rng.uniform(0.05, 0.08)
        start, end = plan.x, plan.reachable(direction * plan.rng.uniform(0, 0.2))
        plan.key(0.75, hip=-0.13, pitch=14)
        plan.x = (start + end) / 2
        plan.key(0.5, hip=height, **plan.at_both(lift=height, point=40, width=width))
        plan.x = end
        plan.key(0.5, hip=-0.1, pitch=10, **plan.at_both())
        plan.key(0.75)


def turn(plan: Planner, direction: int) -> None:
    """A whole turn in eight steps, or two half turns in the same or the opposite direction."""
    whole = plan.rng.random() < 0.5
    onwards = 1 if plan.rng.random() < 0.5 else -1
    spins = (direction,) if whole else (direction, direction * onwards)
    for part, spin in enumerate(spins):
        steps = 8 // len(spins)
        for step in range(steps):
            side = "left" if (step % 2 == 0) == (spin > 0) else "right"
            plan.yaw += 45 * spin
            plan.x = plan.reachable(direction * 0.06)
            plan.key(0.5, hip=-0.02, head_yaw=20 * spin, **plan.at(side))
        plan.key(0.5, **plan.at_both())
        if not whole and part == 0:
            for sign in (1, -1):
                plan.key(0.5, x=plan.x + 0.05 * sign, hip=-0.05, roll=5 * sign)
                plan.key(0.5, x=plan.x - 0.05 * sign, hip=-0.01, roll=-5 * sign)


def walk(plan: Planner, direction: int) -> None:
    """A quarter turn, some steps in profile, and back to the front."""
    front = plan.yaw
    side, other = plan.lead_and_trail(direction)
    for yaw in (front + 45 * direction, front + 90 * direction):
        plan.yaw = yaw
        plan.key(0.5, hip=-0.02, **plan.at(side))
        side, other = other, side
    length = plan.rng.uniform(0.22, 0.3)
    for _ in range(int(plan.rng.integers(3, 6))):
        target = plan.reachable(direction * length)
        if abs(target - plan.x) < 0.1:
            break
        plan.x = target
        foot = plan.at(side, width=0.05, ahead=length / 2, turnout=0)
        plan.key(1, hip=-0.01, twist=8 * plan.sign(side), pitch=4, **foot)
        side, other = other, side
    for yaw in (front + 45 * direction, front):
        plan.yaw = yaw
        plan.key(0.5, hip=-0.02, **plan.at(side))
        side, other = other, side
    plan.key(0.5, **plan.at(side))


def lunge(plan: Planner, direction: int) -> None:
    """A deep lunge to one side, in which the trunk leans and turns, and back."""
    lead, trail = plan.lead_and_trail(direction)
    start, plan.x = plan.x, plan.reachable(direction * 0.2)
    foot = plan.at(lead, width=0.22, turnout=35)
    plan.key(0.75, x=(start + plan.x) / 2, hip=-0.04, **foot)
    drop = plan.rng.uniform(0.1, 0.14)
    plan.key(0.75, hip=-drop, roll=-12 * direction, head_yaw=25 * direction)
    plan.key(0.75, hip=-drop, roll=8 * direction, twist=12 * direction)
    plan.key(0.75, hip=-0.03, **plan.at(trail))
    plan.key(0.5, **plan.at(lead))


def sway(plan: Planner, direction: int) -> None:
    """The weight moves from side to side four times."""
    for side in (1, -1, 1, -1):
        plan.key(0.5, x=plan.x + 0.05 * side, hip=-0.03, roll=-7 * side, head_roll=5 * side)
        plan.key(0.5, x=plan.x + 0.05 * side, hip=-0.01, roll=-5 * side, head_roll=8 * side)
    plan.key(0.5)


def march(plan: Planner, direction: int) -> None:
    """Four steps with high knees."""
    for side in plan.sides() * 2:
        sign = plan.sign(side)
        plan.x = plan.reachable(direction * 0.06)
        knee = plan.at(side, lift=0.2, ahead=0.1, point=30)
        plan.key(0.5, x=plan.x - 0.03 * sign, hip=-0.01, twist=-8 * sign, **knee)
        plan.key(0.5, hip=-0.03, **plan.at(side))


def twist(plan: Planner, direction: int) -> None:
    """Turns both feet from side to side with bent knees; the shoulders turn the other way."""
    for side in (1, -1, 1, -1):
        feet = {f"{foot}_yaw": plan.yaw + 28 * side for foot in ("left", "right")}
        plan.key(1, hip=-plan.rng.uniform(0.05, 0.11), twist=-24 * side, roll=4 * side, **feet)
    plan.key(0.5, **plan.at_both())


# Moves that travel or turn come more often, because they are the hardest to predict.
LEG_MOVES = (
    *(side_steps, side_steps, side_steps, grapevine, grapevine, walk, walk, walk, turn, turn),
    *(lunge, lunge, jumps, kicks, squat, march, sway, bounce, twist),
)


def _cycle(*arms: tuple[float, float, float, float]) -> Callable[[np.random.Generator], ArmKeys]:
    return lambda rng: list(arms)


def _swing(rng: np.random.Generator) -> ArmKeys:
    size = rng.uniform(18, 38)
    forth, back = (size, 80, size + 25, 85), (-size, 80, 15 - size, 85)
    return [forth, back]


def _circle(rng: np.random.Generator) -> ArmKeys:
    sweep = ((15, 15, 20, 20), (80, 10, 85, 15), (165, 5, 175, 5), (85, -10, 85, 0))
    return list(sweep if rng.random() < 0.5 else sweep[::-1])


# name -> (keyframes of one arm, whether two arms move alternately)
ARM_PATTERNS = {
    "relaxed": (_cycle(RELAXED, (20, 30, 30, 60)), False),
    "on_hip": (_cycle(ON_HIP, (52, -15, 54, 165)), False),
    "swing": (_swing, True),
    "wave": (_cycle((140, 5, 130, 0), (146, 5, 196, 0)), False),
    "overhead_sway": (_cycle((150, 10, 172, 0), (168, 10, 192, 0)), True),
    "side_wave": (_cycle((75, 0, 118, 0), (104, 0, 62, 0)), True),
    "airplane": (_cycle((118, 0, 112, 0), (62, 0, 66, 0)), True),
    "fever": (_cycle((30, 125, 38, 130), (138, 0, 140, 0)), False),
    "clap": (_cycle((62, 66, 92, 122), (66, 10, 84, 35)), False),
    "robot": (_cycle((88, 0, 172, 0), (84, 0, 8, 0)), True),
    "rolling": (_cycle((42, 60, 70, 130), (58, 60, 108, 125)), True),
    "flap": (_cycle((35, 0, 45, 10), (112, 0, 122, 0)), False),
    "circle": (_circle, False),
    "ballet": (_cycle((150, 25, 205, 20), (95, 30, 100, 60)), False),
    "behind_head": (_cycle((112, 10, 222, 0), (100, 25, 214, 0)), False),
}


def arm_phrases(
    rng: np.random.Generator, draw: Callable[[], str], beats: float
) -> tuple[list[tuple[float, np.ndarray]], list[tuple[float, np.ndarray]]]:
    """Keyframes of both arms that fill a time.

    Args:
        rng: generator of all random choices except that of the patterns.
        draw: function that returns the name of the next pattern.
        beats: the time to fill.

    Returns:
        For the left and for the right arm a list of `(beats, angles)`: the time since the keyframe
        before, and the four angles, (4,).
    """
    left = draw()
    # In a third of the phrases each arm has its own pattern.
    right = draw() if rng.random() < 1 / 3 else left
    scale = rng.uniform(0.85, 1.1)
    arms = []
    for index, name in enumerate((left, right)):
        keys = ARM_PATTERNS[name][0](rng)
        if index == 1 and name == left and ARM_PATTERNS[name][1]:
            keys = keys[1:] + keys[:1]
        mean = np.mean(keys, axis=0)
        phrase: list[tuple[float, np.ndarray]] = []
        remaining = beats
        while remaining > 1e-9:
            # The first keyframe of a pattern takes longer; none is shorter than a beat.
            length = 1.5 if not phrase else 1.0
            length = remaining if remaining < length + 1 else length
            angles = np.array(keys[len(phrase) % len(keys)])
            phrase.append((length, mean + scale * (angles - mean) + rng.uniform(-5, 5, 4)))
            remaining -= length
        arms.append(phrase)
    return arms[0], arms[1]
