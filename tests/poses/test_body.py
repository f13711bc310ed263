import numpy as np
import pytest
from bodies import INDEX, dance, standing

from keras_cvae.poses.body import (
    BONE_NAMES,
    BONES,
    HIPS,
    NECK,
    bone_lengths,
    floor_line,
    full_lengths,
    height,
    with_middles,
)


def test_bones_begin_at_the_hips_and_each_start_comes_before_its_ends():
    known = {HIPS}
    for start, end in BONES:
        assert start in known
        known.add(end)
    assert known == set(range(21))  # each joint, and two middles


def test_middles():
    points = with_middles(standing(100, (50, 110)))
    assert points[HIPS] == pytest.approx([50, 60]) and points[NECK] == pytest.approx([50, 25])


def test_lengths_by_hand():
    joints = standing(100)[None]
    lengths = dict(zip(BONE_NAMES, bone_lengths(joints)[0], strict=True))
    assert lengths["hips to neck"] == pytest.approx(35)
    assert lengths["left_knee to left_ankle"] == pytest.approx(26)


def test_full_lengths_are_the_long_ones_and_both_sides_share_them():
    joints = np.stack([standing(100)] * 20)
    joints[:15, INDEX["left_ankle"]] = joints[:15, INDEX["left_knee"]]  # a foot at the camera
    lengths = dict(zip(BONE_NAMES, full_lengths(joints), strict=True))
    assert lengths["left_knee to left_ankle"] == pytest.approx(26)
    joints[..., INDEX["right_ankle"], :] = np.nan
    lengths = dict(zip(BONE_NAMES, full_lengths(joints), strict=True))
    assert lengths["right_knee to right_ankle"] == pytest.approx(26)


def test_height_does_not_depend_on_squatting_and_falls_back_on_the_trunk():
    joints = np.stack([standing(100)] * 4)
    assert height(joints) == pytest.approx(100)
    squat = joints.copy()
    low = [n for name, n in INDEX.items() if "ankle" not in name and "toe" not in name]
    squat[2:, low, 1] += 20
    assert height(squat) == pytest.approx(100)
    joints[:, [INDEX["left_knee"], INDEX["right_knee"]]] = np.nan
    assert height(joints) == pytest.approx(100, rel=0.1)


def test_height_of_the_dancer_is_that_of_its_image():
    joints = dance(240)
    upright = np.nanmax(floor_line(joints)) - joints[:, INDEX["nose"], 1].min()
    assert height(joints) == pytest.approx(upright, rel=0.15)


def test_the_floor_is_below_the_lower_ankle():
    joints = np.stack([standing(100, (50, 110))] * 2)
    joints[1, INDEX["left_ankle"], 1] = 90
    joints[1, INDEX["right_ankle"]] = np.nan
    assert floor_line(joints).tolist() == pytest.approx([110, 90])
