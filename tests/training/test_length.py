"""The rule is checked by what it promises; its numbers are measured, and may change."""

import numpy as np
import pytest

from keras_cvae.data.clips import Clips
from keras_cvae.errors import UserError
from keras_cvae.training.length import (
    chosen_length,
    least_epochs,
    rollout_interval,
    usable_frames,
    validation_interval,
)

pytestmark = pytest.mark.usefixtures("rules")


def steps(chosen, frames, stride, accumulate=1):
    return chosen.epochs * (frames // stride // chosen.batch_size) / accumulate


@pytest.mark.parametrize(
    ("frames", "batch_size", "epochs"),
    [
        (300, 2, 167),
        (1199, 2, 41),
        (1200, 4, 33),
        (2400, 4, 16),  # as the built-in data
        (100_000, 4, 16),
        (32, 2, 1500),
        (16, 1, 1500),  # one clip
        (0, 2, 1500),
    ],
)
def test_the_rule(frames, batch_size, epochs):
    assert chosen_length(frames, clip_length=16) == (batch_size, epochs)


@pytest.mark.parametrize(
    "options",
    [
        {},
        {"stride": 5},
        {"stride": 100},
        {"accumulate": 3},
        {"batch_size": 1},
        {"batch_size": 7},
        {"clip_length": 40},
        {"mirrored": True},
        {"mirrored": True, "stride": 5, "accumulate": 2, "batch_size": 3},
    ],
    ids=str,
)
def test_the_optimiser_makes_the_wanted_steps(options):
    options = {"clip_length": 16, **options}
    chosen = chosen_length(500, **options)
    frames = 1000 if options.get("mirrored") else 500
    stride = options.get("stride", options["clip_length"])
    made = steps(chosen, frames, stride, options.get("accumulate", 1))
    assert made == pytest.approx(1500, rel=0.03)
    assert chosen.batch_size == options.get("batch_size", 2)


def test_many_frames_have_the_epochs_of_the_recipe():
    assert chosen_length(20_000, clip_length=16).epochs == 16
    assert chosen_length(2400, clip_length=16, batch_size=1).epochs == 16


@pytest.mark.parametrize("frames", [0, 5, 16, 17, 40, 70, 1300])
def test_a_chosen_batch_is_not_larger_than_the_clips(frames):
    for stride in (None, 1, 16, 50):
        clips = frames // (stride or 16)
        chosen = chosen_length(frames, 16, stride)
        assert 1 <= chosen.batch_size <= max(clips, 2) or chosen.batch_size == 4 <= clips
        assert clips == 0 or chosen.batch_size <= clips


@pytest.mark.filterwarnings("ignore:.*shorter than one clip")
@pytest.mark.parametrize("partial", [1.0, 0.7, 0.31])
@pytest.mark.parametrize("lengths", [[50], [50, 10, 20, 15], [16, 17]])
def test_frames_are_counted_as_clips_count_them(lengths, partial):
    videos = [(np.zeros((n, 2, 2, 3), np.uint8),) * 2 for n in lengths]
    counted = usable_frames(lengths, 16, partial)
    try:
        clips = Clips(videos, clip_length=16, batch_size=1, partial=partial)
    except UserError:
        assert counted == 0
    else:
        assert counted == clips.num_frames


def test_no_share_is_an_error():
    with pytest.raises(UserError, match="partial"):
        usable_frames([100], 16, 0)


def test_about_eight_validations_in_a_run():
    assert [validation_interval(n) for n in (1, 8, 16, 40, 167, 1500)] == [2, 2, 2, 5, 21, 188]
    for epochs in range(16, 1500, 7):
        every = validation_interval(epochs)
        assert 6 <= -(-epochs // every) <= 11


def test_rollouts_are_spread_over_a_run():
    assert [rollout_interval(n) for n in (1, 3, 4, 16, 167)] == [1, 1, 1, 4, 41]


def test_the_weights_change_at_all():
    assert [least_epochs(a, 9) for a in (1, 9, 10, 100)] == [1, 1, 2, 12]
