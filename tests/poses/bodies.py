"""Bodies to test with: the built-in dancer's joints, and a person who stands."""

import numpy as np

from keras_cvae.data.skeleton import JOINTS
from keras_cvae.data.synthetic.dataset import dance_joints

INDEX = {name: number for number, name in enumerate(JOINTS)}


def dance(frames=60, size=(96, 192), seed=5):
    """(frames, 19, 2) in pixels."""
    return dance_joints(seed, frames, size).astype(np.float64)


def standing(height=100.0, feet=(50.0, 110.0)):
    """(19, 2): a person seen from the front, `height` from nose to ankles."""
    shape = {
        "nose": (0, 1), "eye": (0.03, 1.02), "ear": (0.06, 1), "shoulder": (0.13, 0.85),
        "elbow": (0.2, 0.65), "wrist": (0.22, 0.45), "hip": (0.08, 0.5), "knee": (0.08, 0.26),
        "ankle": (0.08, 0), "toe": (0.1, -0.04),
    }  # fmt: skip
    joints = np.empty((19, 2))
    for name, number in INDEX.items():
        across, up = shape[name.rpartition("_")[2]]
        side = -1 if name.startswith("right") else 1
        joints[number] = feet[0] + side * across * height, feet[1] - up * height
    return joints


def taller(joints, legs=1.3):
    """The same poses by someone with longer legs."""
    from keras_cvae.poses.body import BONE_NAMES, BONES, with_middles

    points = with_middles(joints)
    other = points.copy()
    for name, (start, end) in zip(BONE_NAMES, BONES, strict=True):
        factor = legs if "knee" in name else 1.0
        other[:, end] = other[:, start] + (points[:, end] - points[:, start]) * factor
    return other[:, :19]
