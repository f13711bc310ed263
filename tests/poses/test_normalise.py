import numpy as np
import pytest
from bodies import INDEX, dance, standing, taller

from keras_cvae.errors import UserError
from keras_cvae.poses.body import bone_lengths, floor_line, full_lengths, height
from keras_cvae.poses.normalise import bone_range, bones_outside, measure, normalise


def test_a_person_fitted_to_itself_stays():
    joints = dance()
    for method in ("limbs", "global", "none"):
        assert normalise(joints, measure(joints), method) == pytest.approx(joints)


def test_scale_and_place_are_taken_over():
    joints = dance()
    moved = joints * 3 + [500, -200]
    for method in ("limbs", "global"):
        assert normalise(moved, measure(joints), method) == pytest.approx(joints, abs=1e-6)


def test_limbs_get_the_other_persons_lengths_and_feet_stay_on_the_ground():
    driver, target = taller(dance(seed=6), legs=1.4) * 2, dance()
    fitted = normalise(driver, measure(target), "limbs")
    ours, theirs = full_lengths(fitted), full_lengths(target)
    assert ours == pytest.approx(theirs, rel=0.02)
    assert height(fitted) == pytest.approx(height(target), rel=0.02)
    scaled = normalise(driver, measure(target), "global")
    assert floor_line(fitted) == pytest.approx(floor_line(scaled))
    assert full_lengths(scaled) != pytest.approx(theirs, rel=0.02)


def test_directions_of_bones_are_kept():
    driver, target = taller(dance(seed=6)), dance()
    fitted = normalise(driver, measure(target), "limbs")
    knee, ankle = INDEX["left_knee"], INDEX["left_ankle"]
    before, after = driver[:, ankle] - driver[:, knee], fitted[:, ankle] - fitted[:, knee]
    cosine = (before * after).sum(-1) / np.linalg.norm(before, axis=-1)
    assert cosine / np.linalg.norm(after, axis=-1) == pytest.approx(1)


def test_fewer_bones_are_out_of_range_after_normalisation():
    target, driver = dance(200), taller(dance(200, seed=6), legs=1.4) * 2
    ranges, body = bone_range(target), measure(target)
    shares = [
        bones_outside(normalise(driver, body, method), ranges)
        for method in ("none", "global", "limbs")
    ]
    assert shares[0] > 0.5 > shares[1] > shares[2] and shares[2] < 0.1
    assert bones_outside(target, ranges) < 0.02


def test_joints_that_are_not_seen_stay_so_and_lose_no_others():
    driver = taller(dance(seed=6))
    whole = normalise(driver, measure(dance()), "limbs")
    for unseen, others in (("nose", ["left_eye", "right_ear"]), ("left_knee", ["left_ankle"])):
        joints = driver.copy()
        joints[20:30, INDEX[unseen]] = np.nan
        fitted = normalise(joints, measure(dance()), "limbs")
        assert np.isnan(fitted).sum() == 20
        for other in others:
            far = np.linalg.norm((fitted - whole)[20:30, INDEX[other]], axis=1).max()
            assert far < 0.35 * measure(dance()).height * (0.1 if "eye" in other else 1)


def test_the_body_does_not_bob_when_feet_are_not_seen_for_a_moment():
    driver = taller(np.stack([standing(100)] * 9), legs=1.4)
    driver[:, [INDEX["left_ankle"], INDEX["left_toe"]], 1] -= 6  # a foot is lifted
    target = measure(np.stack([standing(100)] * 9))
    hips = [INDEX["left_hip"], INDEX["right_hip"]]
    level = normalise(driver, target)[0, hips, 1].mean()
    both = driver.copy()
    both[4, [INDEX["left_ankle"], INDEX["right_ankle"]]] = np.nan
    knee = driver.copy()
    knee[4, INDEX["right_knee"]] = np.nan
    for joints in (both, knee):
        assert normalise(joints, target)[:, hips, 1].mean(axis=1) == pytest.approx(level, abs=3)


@pytest.mark.parametrize("method", ["limbs", "global"])
@pytest.mark.parametrize("who", ["driver", "target"])
def test_where_feet_are_never_seen_the_hips_are_the_place(method, who):
    joints = dance()
    half = joints.copy()
    half[:, 13:] = np.nan  # knees, ankles, toes
    driver, target = (half * 2, joints) if who == "driver" else (joints * 2, half)
    fitted = normalise(driver, measure(target), method)
    assert np.isnan(fitted[:, 13:]).all() == (who == "driver")
    hips = [INDEX["left_hip"], INDEX["right_hip"]]
    assert np.median(fitted[:, hips, 1]) == pytest.approx(np.median(joints[:, hips, 1]), rel=0.1)


def test_absurd_ratios_are_bounded():
    driver = np.stack([standing(100)] * 5)
    driver[:, INDEX["left_wrist"]] = driver[:, INDEX["left_elbow"]] + 1e-3
    driver[:, INDEX["right_wrist"]] = driver[:, INDEX["right_elbow"]] + 1e-3
    fitted = normalise(driver, measure(np.stack([standing(100)] * 5)), "limbs")
    assert bone_lengths(fitted).max() < 60


def test_an_unknown_method_is_an_error():
    with pytest.raises(UserError, match="limbs, global, none"):
        normalise(dance(), measure(dance()), "limb")
