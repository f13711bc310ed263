import numpy as np
import pytest
from bodies import INDEX, dance, standing

from keras_cvae.poses.track import SHORTEST, fill_gaps, jitter, make_track

SURE = np.ones((60, 19))


def test_a_smooth_track_stays_as_it_is():
    joints = dance(60)
    track = make_track(joints, SURE, 30)
    assert track.segments == [(0, 60)] and track.found == 1
    assert np.abs(track.joints - joints).max() < 0.02 * track.height
    assert track.jitter < 0.02


def test_a_straight_motion_is_kept_to_its_ends():
    joints = standing(100) + np.arange(60)[:, None, None] * [1.0, 0.5]
    assert make_track(joints, SURE, 30).joints == pytest.approx(joints)


def test_noise_is_reduced_and_single_errors_vanish():
    clean = np.stack([standing(100)] * 60)
    noise = np.random.default_rng(0).normal(0, 1, clean.shape)
    track = make_track(clean + noise, SURE, 30)
    assert (track.joints - clean).std() < 0.8
    wrong = clean.copy()
    wrong[30, INDEX["left_wrist"]] += 40
    assert np.abs(make_track(wrong, SURE, 30).joints - clean).max() < 1e-6


def test_jitter_is_a_share_of_the_height():
    joints = np.stack([standing(100)] * 60)
    joints[::2, :, 0] += 5
    assert make_track(joints, SURE, 30).jitter == pytest.approx(0.05, rel=0.01)  # of x alone
    assert jitter(joints, [], 100) != jitter(joints, [], 100)  # nothing to measure: NaN


def test_joints_of_low_score_are_not_seen():
    scores = SURE.copy()
    scores[10:40, INDEX["left_wrist"]] = 0.1
    seen = make_track(dance(60), scores, 30).joints[:, INDEX["left_wrist"], 0]
    assert np.isnan(seen[10:40]).all() and not np.isnan(seen[:10]).any()


def test_short_gaps_are_filled_and_long_ones_divide():
    joints = standing(100) + np.arange(60)[:, None, None] * 1.0
    joints[20:27] = np.nan  # seven frames, a quarter of a second
    track = make_track(joints, SURE, 30)
    assert track.segments == [(0, 60)] and track.found == pytest.approx(53 / 60)
    assert track.joints[23] == pytest.approx(standing(100) + 23)
    joints[20:28] = np.nan
    assert make_track(joints, SURE, 30).segments == [(0, 20), (28, 60)]


def test_a_jump_is_another_person():
    joints = np.stack([standing(100)] * 60)
    joints[30:] += [80, 0]
    assert make_track(joints, SURE, 30).segments == [(0, 30), (30, 60)]


def test_another_person_behind_a_short_gap_is_no_sliding_one():
    joints = np.stack([standing(100)] * 60)
    joints[30:] += [80, 0]
    joints[28:32] = np.nan
    track = make_track(joints, SURE, 30)
    assert track.segments == [(0, 28), (32, 60)]


def test_joints_of_every_second_frame_have_a_jitter():
    joints = dance(60)
    joints[::2] = np.nan
    track = make_track(joints, SURE, 30)
    assert track.segments == [(1, 60)] and 0 < track.jitter < 0.05


def test_segments_shorter_than_a_clip_are_left_out():
    joints = np.stack([standing(100)] * 60)
    joints[SHORTEST - 1 : 30] = np.nan
    assert make_track(joints, SURE, 30).segments == [(30, 60)]
    assert make_track(joints, SURE, 30, shortest=2).segments == [(0, SHORTEST - 1), (30, 60)]
    nobody = make_track(joints * np.nan, SURE * 0, 30)
    assert nobody.segments == [] and nobody.found == 0


def test_slow_videos_are_not_smoothed():
    joints = dance(60) + np.random.default_rng(0).normal(0, 1, (60, 19, 2))
    assert np.array_equal(make_track(joints, SURE, 5).joints, joints)


def test_gaps_at_the_ends_stay():
    values = np.array([np.nan, 1, np.nan, 3, np.nan])[:, None]
    assert np.array_equal(fill_gaps(values, 1)[:, 0], [np.nan, 1, 2, 3, np.nan], equal_nan=True)
