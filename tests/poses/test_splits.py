import pytest

from keras_cvae.errors import UserError
from keras_cvae.poses.splits import divide


def test_the_last_fifth_is_val_then_test():
    pieces = divide([(10, 110)], "x")
    assert pieces == {"train": [(10, 90)], "val": [(90, 100)], "test": [(100, 110)]}


def test_pieces_cross_no_gap_and_no_frame_is_lost_or_doubled():
    segments = [(0, 50), (60, 145), (150, 215)]
    pieces = divide(segments, "x")
    frames = [n for each in pieces.values() for first, end in each for n in range(first, end)]
    assert frames == [n for first, end in segments for n in range(first, end)]
    assert pieces["train"] == [(0, 50), (60, 145), (150, 175)]


def test_pieces_too_short_for_a_clip_are_left_out_of_training():
    assert divide([(0, 70), (80, 110)], "x")["train"] == [(0, 70)]


def test_too_few_frames_are_an_error():
    with pytest.raises(UserError, match="x.mp4: 16 frames .* too few: nothing is left for train"):
        divide([(0, 16)], "x.mp4")
