import pytest

from keras_cvae.errors import check_at_least_1, first_line


def test_the_first_line_of_a_message_or_the_kind():
    assert first_line(ValueError("\none\ntwo")) == "one"
    assert first_line(KeyError()) == "KeyError"


def test_what_is_below_1_is_said_with_all_names():
    check_at_least_1(every=1, max_frames=None)
    with pytest.raises(ValueError, match="every and max_frames must be at least 1; got every=2, m"):
        check_at_least_1(every=2, max_frames=0)
