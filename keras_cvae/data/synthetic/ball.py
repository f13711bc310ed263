"""A ball that bounces in the room: its motion, and its drawing.

The ball falls and bounces. From time to time a kick, which the pose does not determine, gives it
another random velocity.
"""

import math
from typing import NamedTuple

import cv2
import numpy as np

from keras_cvae.data.skeleton import SHIFT, to_canvas
from keras_cvae.data.synthetic.shapes import Projection

# Lengths in body heights, times in frames.
RADIUS = 0.095
RESTITUTION = 0.8  # share of the speed that is left after a bounce
GRAVITY = 0.006
KICK_SPEED = (0.06, 0.12)
KICK_INTERVAL, LEAST_INTERVAL = 20.0, 6.0  # the mean, and the least
_DEPTH = 0.2  # z of the plane in which it moves, in front of the dancer
_REST = 0.004  # a ball that leaves the floor more slowly stays there

LIT, SHADED, GLOSS = (255, 25, 255), (196, 6, 204), (255, 120, 255)  # no other colour is near
# Discs from below to the top: radius, and the shift towards the light, in radii; colour.
_DISCS = ((1.0, 0.0, SHADED), (0.7, 0.26, LIT), (0.22, 0.5, GLOSS))
_LIGHT = np.array([-0.6, -0.8])  # where the light comes from in the picture, y down
_EDGE = 0.5  # pixels of the canvas by which OpenCV's smooth edge makes a disc larger


class Flight(NamedTuple):
    """The motion of the ball, in body heights and frames; x to the right, y up from the floor.

    Args:
        centres: (T, 2), x and y of the centre in each frame.
        velocities: (T, 2), per frame.
        kicks: (K,), the times of the kicks, in frames from the first one.
    """

    centres: np.ndarray
    velocities: np.ndarray
    kicks: np.ndarray


def bounce(rng: np.random.Generator, frames: int, low: np.ndarray, high: np.ndarray) -> Flight:
    """Samples a flight. A shorter one is the beginning of a longer one.

    Between kicks the ball falls, bounces with a loss, rolls, and never leaves its box. This is
    computed exactly, not in small steps. The intervals between kicks are exponential, plus
    `LEAST_INTERVAL`. A kick replaces the velocity: any direction, and a speed in `KICK_SPEED`.

    Args:
        rng: generator of all random choices.
        frames: the number of frames, 24 per second.
        low, high: (2,), the least and the largest x and y of the centre, in body heights.

    Returns:
        The flight.
    """
    x, y = rng.uniform(low, high).tolist()
    (left, floor), (right, top) = np.asarray(low).tolist(), np.asarray(high).tolist()
    states, kicks = np.empty((frames, 4)), []
    across, up = _kick(rng)
    kick = _interval(rng)
    for t in range(frames):
        states[t] = x, y, across, up
        now: float = t
        while now < t + 1:
            until = min(kick, t + 1.0)
            x, across = _between_walls(x, across, until - now, left, right)
            y, up = _up_and_down(y, up, until - now, floor, top)
            if kick < t + 1:
                kicks.append(kick)
                across, up = _kick(rng)
                kick += _interval(rng)
            now = until
    return Flight(states[:, :2], states[:, 2:], np.array(kicks))


def _kick(rng: np.random.Generator) -> tuple[float, float]:
    speed, direction = rng.uniform(*KICK_SPEED), rng.uniform(0, 2 * math.pi)
    return speed * math.cos(direction), speed * math.sin(direction)


def _interval(rng: np.random.Generator) -> float:
    return LEAST_INTERVAL + float(rng.exponential(KICK_INTERVAL - LEAST_INTERVAL))


def _between_walls(
    x: float, speed: float, time: float, left: float, right: float
) -> tuple[float, float]:
    """Place and velocity after a time, without gravity."""
    while speed:
        wall = right if speed > 0 else left
        until = (wall - x) / speed
        if until >= time:
            break
        x, speed, time = wall, -RESTITUTION * speed, time - until
    return min(max(x + speed * time, left), right), speed


def _up_and_down(
    y: float, speed: float, time: float, floor: float, top: float
) -> tuple[float, float]:
    """Height and velocity after a time, with gravity."""
    while y > floor or abs(speed) >= _REST:
        until = (speed + math.sqrt(speed**2 + 2 * GRAVITY * (y - floor))) / GRAVITY
        wall, excess = floor, speed**2 - 2 * GRAVITY * (top - y)
        if speed > 0 and excess > 0:  # it reaches the top first
            until, wall = (speed - math.sqrt(excess)) / GRAVITY, top
        if until >= time:
            y += speed * time - GRAVITY * time**2 / 2
            return min(max(y, floor), top), speed - GRAVITY * time
        y, speed, time = wall, -RESTITUTION * (speed - GRAVITY * until), time - until
    return floor, 0.0


def ball_box(project: Projection, frame_size: tuple[int, int]) -> tuple[np.ndarray, np.ndarray]:
    """Where the centre may be, so that the whole ball is in the picture and above the floor.

    Args:
        project: from space to the picture.
        frame_size: `(height, width)` of the frames.

    Returns:
        `(low, high)`, each (2,), x and y in body heights.
    """
    corner = project(np.array([0.0, 0.0, _DEPTH]))
    left, top = -corner[0] / project.scale, corner[1] / project.scale
    right = (frame_size[1] - corner[0]) / project.scale
    return np.array([left + RADIUS, RADIUS]), np.array([right - RADIUS, top - RADIUS])


def in_space(centres: np.ndarray) -> np.ndarray:
    """The centres of a flight, (T, 2), as points of space, (T, 3)."""
    return np.concatenate([centres, np.full((len(centres), 1), _DEPTH)], axis=1)


class Ball:
    """The ball in a number of frames, prepared for drawing.

    Args:
        centres: (T, 3), in space, in body heights.
        project: from there to the picture.
        supersampling: pixels of the canvas per pixel of the frame.
    """

    def __init__(self, centres: np.ndarray, project: Projection, supersampling: int):
        radius = RADIUS * project.scale
        flat = project(centres)
        self._discs = [
            (
                to_canvas(flat + shift * radius * _LIGHT, supersampling).tolist(),
                round((size * radius * supersampling - _EDGE) * (1 << SHIFT)),
                colour,
            )
            for size, shift, colour in _DISCS
        ]

    def draw(self, canvas: np.ndarray, t: int) -> None:
        """Draws frame `t` on an RGB canvas, (height, width, 3) uint8."""
        for centres, radius, colour in self._discs:
            cv2.circle(canvas, centres[t], radius, colour, cv2.FILLED, cv2.LINE_AA, SHIFT)
