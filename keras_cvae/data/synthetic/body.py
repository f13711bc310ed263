"""The dancer's joints in space, from the curves of a dance."""

from typing import NamedTuple

import numpy as np

from keras_cvae.data.skeleton import JOINTS
from keras_cvae.data.synthetic.choreography import Motion
from keras_cvae.data.synthetic.planner import SIDES

# Lengths in body heights.
THIGH, SHIN, ANKLE = 0.245, 0.235, 0.045
UPPER_ARM, FOREARM = 0.165, 0.15
HIP_HALF, SHOULDER_HALF = 0.06, 0.115
SPINE, NECK, HEAD, HEAD_RADIUS = 0.285, 0.03, 0.1, 0.085
FOOT = 0.1
_STANDING = 0.99 * (THIGH + SHIN) + ANKLE
_STRETCH = 0.995  # a leg is never fully straight, so the side to which the knee bends is known


class Body(NamedTuple):
    """A dancer in space, in body heights: x to the right, y up from the floor, z to the camera.

    Args:
        joints: dict of (T, 3) arrays, by the names of `skeleton.JOINTS` and `pelvis`, `chest`
            (between the shoulders), `neck`, `head` (its centre), `left_heel`, `right_heel`.
        pelvis_axes, chest_axes, head_axes: (T, 3, 3), unit vectors to the dancer's left, up and
            forward.
    """

    joints: dict[str, np.ndarray]
    pelvis_axes: np.ndarray
    chest_axes: np.ndarray
    head_axes: np.ndarray


def joint_array(joints: dict[str, np.ndarray]) -> np.ndarray:
    """The joints that a pose image shows, (T, 19, 3), from `Body.joints`."""
    return np.stack([joints[name] for name in JOINTS], axis=1)


def pose_body(motion: Motion) -> Body:
    """The body during a dance. The feet are where the dance puts them, the knees bend to fit.

    Args:
        motion: the curves of the dance.

    Returns:
        The body in T frames.
    """
    body = motion.body
    pelvis_axes = _axes(body["yaw"], body["pitch"] * 0.3, -0.4 * body["roll"])
    chest_axes = _axes(body["yaw"] + body["twist"], body["pitch"], body["roll"])
    head_yaw = body["yaw"] + 0.5 * body["twist"] + body["head_yaw"]
    head_axes = _axes(
        head_yaw, 0.3 * body["pitch"] + body["head_pitch"], 0.4 * body["roll"] + body["head_roll"]
    )
    joints = {}
    for side in SIDES:
        foot = motion.feet[side]
        ankle = np.stack([foot["x"], ANKLE + foot["lift"], foot["z"]], axis=1)
        axes = _axes(foot["yaw"], foot["point"], 0.0 * foot["yaw"])
        sole = ankle - 0.6 * ANKLE * axes[:, 1]
        joints[f"{side}_ankle"] = ankle
        joints[f"{side}_toe"] = sole + FOOT * axes[:, 2]
        joints[f"{side}_heel"] = sole - 0.25 * FOOT * axes[:, 2]

    hips = {s: _sign(s) * HIP_HALF * pelvis_axes[:, 0] for s in SIDES}
    pelvis = np.stack([body["x"], _STANDING + body["hip"], 0.0 * body["x"]], axis=1)
    for side in SIDES:
        to_ankle = joints[f"{side}_ankle"] - (pelvis + hips[side])
        across = to_ankle[:, 0] ** 2 + to_ankle[:, 2] ** 2
        below = np.sqrt(np.maximum((_STRETCH * (THIGH + SHIN)) ** 2 - across, 0.01))
        highest = joints[f"{side}_ankle"][:, 1] + below - hips[side][:, 1]
        pelvis[:, 1] = np.minimum(pelvis[:, 1], highest)
    joints["pelvis"] = pelvis

    for side in SIDES:
        hip, ankle = pelvis + hips[side], joints[f"{side}_ankle"]
        aim = pelvis_axes[:, 2] + 0.45 * _sign(side) * pelvis_axes[:, 0]
        knee, ankle = _knee(hip, ankle, aim)
        joints[f"{side}_hip"], joints[f"{side}_knee"] = hip, knee
        # A foot out of reach moves with the leg.
        shift = ankle - joints[f"{side}_ankle"]
        for part in ("ankle", "toe", "heel"):
            joints[f"{side}_{part}"] = joints[f"{side}_{part}"] + shift

    chest = pelvis + SPINE * _unit(pelvis_axes[:, 1] + 3 * chest_axes[:, 1])
    joints["chest"] = chest
    for side in SIDES:
        upper, fore = _arm_directions(motion.arms[side], chest_axes, _sign(side))
        # Shoulders rise with the arm.
        raised = 0.035 * np.clip(upper @ np.array([0.0, 1.0, 0.0]), 0, 1)[:, None]
        shoulder = chest + _sign(side) * (SHOULDER_HALF - raised) * chest_axes[:, 0]
        joints[f"{side}_shoulder"] = shoulder + raised * chest_axes[:, 1]
        joints[f"{side}_elbow"] = joints[f"{side}_shoulder"] + UPPER_ARM * upper
        joints[f"{side}_wrist"] = joints[f"{side}_elbow"] + FOREARM * fore

    joints["neck"] = chest + NECK * chest_axes[:, 1]
    head = joints["neck"] + HEAD * head_axes[:, 1]
    joints["head"] = head
    left, up, ahead = (HEAD_RADIUS * head_axes[:, i] for i in range(3))
    joints["nose"] = head + 1.05 * ahead - 0.2 * up
    for side in SIDES:
        joints[f"{side}_eye"] = head + 0.88 * ahead + 0.42 * _sign(side) * left + 0.1 * up
        joints[f"{side}_ear"] = head + 0.95 * _sign(side) * left - 0.05 * up
    return Body(joints, pelvis_axes, chest_axes, head_axes)


def _sign(side: str) -> int:
    return 1 if side == "left" else -1


def _unit(vectors: np.ndarray) -> np.ndarray:
    return vectors / np.linalg.norm(vectors, axis=-1, keepdims=True)


def _axes(yaw: np.ndarray, pitch: np.ndarray, roll: np.ndarray) -> np.ndarray:
    """Unit vectors to the left, up and forward, (T, 3, 3), from angles in degrees.

    `yaw` turns around the vertical, `pitch` leans forward, `roll` leans to the left.
    """
    yaw, pitch, roll = np.radians(yaw), np.radians(pitch), np.radians(roll)
    zero, one = 0.0 * yaw, 1.0 + 0.0 * yaw
    left = np.stack([np.cos(yaw), zero, -np.sin(yaw)], axis=-1)
    ahead = np.stack([np.sin(yaw), zero, np.cos(yaw)], axis=-1)
    upright = np.stack([zero, one, zero], axis=-1)
    sin_pitch, cos_pitch = np.sin(pitch)[..., None], np.cos(pitch)[..., None]
    up, ahead = cos_pitch * upright + sin_pitch * ahead, cos_pitch * ahead - sin_pitch * upright
    sin_roll, cos_roll = np.sin(roll)[..., None], np.cos(roll)[..., None]
    up, left = cos_roll * up + sin_roll * left, cos_roll * left - sin_roll * up
    return np.stack([left, up, ahead], axis=-2)


def _knee(hip: np.ndarray, ankle: np.ndarray, aim: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """The knee, bent towards `aim`, and the ankle, moved closer if it is out of reach."""
    line = ankle - hip
    distance = np.linalg.norm(line, axis=1, keepdims=True)
    line = line / distance
    distance = np.clip(distance, 0.05, _STRETCH * (THIGH + SHIN))
    along = (THIGH**2 - SHIN**2 + distance**2) / (2 * distance)
    aside = np.sqrt(np.maximum(THIGH**2 - along**2, 0.0))
    aim = _unit(aim - (aim * line).sum(axis=1, keepdims=True) * line)
    return hip + along * line + aside * aim, hip + distance * line


def _arm_directions(angles: np.ndarray, axes: np.ndarray, sign: int) -> list[np.ndarray]:
    """Unit vectors along the upper arm and the forearm, from its four angles (see `moves`)."""
    left, up, ahead = (axes[:, i] for i in range(3))
    directions = []
    for raised, front in (np.radians(angles[:, :2]).T, np.radians(angles[:, 2:]).T):
        outward = (np.sin(raised) * np.cos(front))[:, None] * sign * left
        forward = (np.sin(raised) * np.sin(front))[:, None] * ahead
        directions.append(outward + forward - np.cos(raised)[:, None] * up)
    return directions
