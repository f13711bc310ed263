import numpy as np
import pytest

from keras_cvae.errors import UserError
from keras_cvae.poses.people import Crowd, are_several, check_rule, pick

CENTRES = [np.array([x, 50.0]) for x in (70, 10, 40)]
SIZES = [30.0, 40.0, 15.0]  # the third is too small to count


@pytest.mark.parametrize(
    ("rule", "index"),
    [(None, 1), ("largest", 1), ("left", 1), ("right", 0), (1, 1), (2, 0), (3, None)],
)
def test_the_rule_picks(rule, index):
    assert pick(CENTRES, SIZES, rule) == index


def test_who_was_seen_last_is_found_again_if_near():
    assert pick(CENTRES, SIZES, "largest", last=np.array([65.0, 50.0])) == 0
    assert pick(CENTRES, SIZES, "largest", last=np.array([100.0, 50.0])) == 1  # too far away
    assert pick([], [], "largest", last=np.zeros(2)) is None


@pytest.mark.parametrize(("given", "rule"), [(None, None), ("left", "left"), ("2", 2), (3, 3)])
def test_a_rule_is_a_word_or_a_number(given, rule):
    assert check_rule(given) == rule


@pytest.mark.parametrize("given", ["middle", "0", "-1", "1.5", "²", 0])
def test_another_rule_is_an_error(given):
    with pytest.raises(UserError, match="largest, left, right"):
        check_rule(given)


def test_a_second_person_counts_if_not_much_smaller():
    assert are_several([10, 6]) and not are_several([10, 4]) and not are_several([])


def test_several_people_are_asked_about_as_soon_as_it_is_certain():
    crowd = Crowd("x.mp4", None, looks=20)
    for _ in range(2):
        crowd.look([10, 9])
    with pytest.raises(UserError, match="x.mp4: more than one person .* 3 of the first 3"):
        crowd.look([10, 9])


def test_few_frames_with_several_people_pass_and_so_does_a_rule():
    crowd = Crowd("x.mp4", None, looks=20)
    for sizes in ([10, 9], *[[10]] * 19):
        crowd.look(sizes)
    crowd.finish()
    asked = Crowd("x.mp4", "left", looks=2)
    asked.look([10, 9])
    asked.finish()


def test_a_video_shorter_than_expected_is_judged_at_its_end():
    crowd = Crowd("x.mp4", None, looks=100)
    for sizes in ([10, 9], [10]):
        crowd.look(sizes)
    with pytest.raises(UserError, match="1 of the first 2"):
        crowd.finish()
