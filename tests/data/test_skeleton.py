import numpy as np
import pytest

from keras_cvae.data.skeleton import JOINTS, LIMBS, draw_skeleton
from keras_cvae.errors import UserError


def standing(size=64.0):
    """A person from the front, in a square picture."""
    places = {"nose": (0.5, 0.15), "eye": (0.53, 0.13), "ear": (0.57, 0.14)}
    places |= {"shoulder": (0.6, 0.3), "elbow": (0.72, 0.45), "wrist": (0.85, 0.35)}
    places |= {"hip": (0.55, 0.55), "knee": (0.6, 0.75), "ankle": (0.58, 0.92), "toe": (0.66, 0.95)}
    joints = []
    for name in JOINTS:
        x, y = places[name.split("_")[-1]]
        joints.append((1 - x if name.startswith("right") else x, y))
    return np.array(joints) * size


def index(name):
    return JOINTS.index(name)


def test_limbs_are_drawn_in_their_colours_between_their_joints():
    joints = standing(200.0)
    image = draw_skeleton(joints, (200, 200), thickness=6)
    for start, end, colour in LIMBS:
        if "neck" in (start, end) or "eye" in start + end:
            continue
        x, y = (joints[index(start)] + joints[index(end)]) / 2
        assert tuple(image[int(y), int(x)]) == colour, (start, end)
    assert not image[:10].any()


def test_every_limb_has_a_colour_of_its_own():
    assert len({colour for _, _, colour in LIMBS}) == len(LIMBS)


def test_left_and_right_differ():
    joints = standing()
    mirrored = joints.copy()
    mirrored[:, 0] = 64 - mirrored[:, 0]
    front, back = draw_skeleton(joints, (64, 64)), draw_skeleton(mirrored, (64, 64))
    assert np.abs(front.astype(int) - back).max() > 100
    assert np.abs((front > 40).any(-1).astype(int) - (back > 40).any(-1)).mean() < 0.02


def test_an_unseen_joint_leaves_its_limbs_out_and_no_others():
    joints = standing(200.0)
    partial = joints.copy()
    partial[index("left_wrist")] = np.nan
    image = draw_skeleton(partial, (200, 200))
    forearm = (joints[index("left_elbow")] + joints[index("left_wrist")]) / 2
    assert not image[int(forearm[1]), int(forearm[0])].any()
    upper = (joints[index("left_shoulder")] + joints[index("left_elbow")]) / 2
    assert image[int(upper[1]), int(upper[0])].any()
    assert not draw_skeleton(np.full((19, 2), np.nan), (32, 64)).any()


@pytest.mark.parametrize(
    "unseen",
    [(0, 0), (-1, -1), (np.inf, 5), (-np.inf, np.nan), (1e300, 5), (3e6, 5), (np.nan, 30)],
)
@pytest.mark.parametrize("name", ["left_wrist", "right_shoulder"])
def test_joints_not_found_are_left_out(unseen, name):
    expected, joints = standing(), standing()
    expected[index(name)], joints[index(name)] = np.nan, unseen
    np.testing.assert_array_equal(
        draw_skeleton(joints, (64, 64)), draw_skeleton(expected, (64, 64))
    )


def test_a_joint_on_one_edge_is_drawn():
    joints = standing()
    joints[index("left_wrist")] = (0, 30)
    image = draw_skeleton(joints, (64, 64))
    assert image[28:32, :2].any()


def test_impossible_arguments_are_named():
    joints = standing()
    for arguments, message in (
        (("abc", (64, 64)), "joints must be numbers"),
        ((5.0, (64, 64)), "joints has shape"),
        ((joints, (0, 64)), "frame_size must be"),
        ((joints, (10**6, 10**6)), "frame_size is .* more than the bound"),
        ((joints, (64, 64), None, np.nan), "thickness must be positive"),
        ((joints, (64, 64), None, np.inf), "thickness must be positive"),
        ((joints, (64, 64), "near"), "depth must be numbers"),
    ):
        with pytest.raises(UserError, match=message):
            draw_skeleton(*arguments)


def test_coco_keypoints_need_no_toes():
    joints = standing()
    without = joints.copy()
    without[17:] = np.nan
    expected = draw_skeleton(without, (64, 64))
    np.testing.assert_array_equal(draw_skeleton(joints[:17], (64, 64)), expected)
    np.testing.assert_array_equal(
        draw_skeleton(joints[:17], (64, 64), np.zeros(17)),
        draw_skeleton(without, (64, 64), np.zeros(19)),
    )


def test_the_nearer_limb_is_on_top():
    joints = np.full((19, 2), np.nan)
    joints[index("left_elbow")], joints[index("left_wrist")] = (10, 32), (54, 32)
    joints[index("right_elbow")], joints[index("right_wrist")] = (32, 10), (32, 54)
    colours = {end: colour for _, end, colour in LIMBS}
    for nearer in ("left_wrist", "right_wrist"):
        depth = np.zeros(19)
        depth[index(nearer)] = 1
        image = draw_skeleton(joints, (64, 64), depth)
        assert tuple(image[32, 32]) == colours[nearer]


def test_motion_below_a_pixel_shows():
    joints = standing(32.0)
    columns = np.arange(32) + 0.5
    centres = []
    for shift in (0.0, 0.25, 0.5):
        image = draw_skeleton(joints + (shift, 0), (32, 32)).astype(float).sum(axis=(0, 2))
        centres.append((image * columns).sum() / image.sum())
    np.testing.assert_allclose(np.diff(centres), 0.25, atol=0.06)


def test_coordinates_count_from_the_corner_of_the_image():
    joints = np.full((19, 2), np.nan)
    joints[index("left_elbow")] = joints[index("left_wrist")] = (16.0, 8.0)
    image = draw_skeleton(joints, (16, 32)).astype(float).sum(axis=2)
    y, x = np.mgrid[:16, :32] + 0.5
    assert (image * x).sum() / image.sum() == pytest.approx(16.0, abs=0.15)
    assert (image * y).sum() / image.sum() == pytest.approx(8.0, abs=0.15)


@pytest.mark.parametrize("shape", [(18, 2), (19, 3), (19,)])
def test_a_wrong_shape_is_named(shape):
    with pytest.raises(ValueError, match=r"joints has shape .*\(19, 2\)"):
        draw_skeleton(np.zeros(shape), (32, 64))


def test_a_wrong_depth_is_named():
    with pytest.raises(ValueError, match="depth has shape"):
        draw_skeleton(standing(), (64, 64), depth=np.zeros(5))
