"""Ball errors by hand, and which data have a ball."""

import json

import numpy as np
import pytest

from keras_cvae.errors import UserError
from keras_cvae.evaluation.ball import ball_errors, ball_finder

GONE = [np.nan, np.nan]


@pytest.mark.filterwarnings("error::RuntimeWarning")
def test_errors_by_hand():
    truths = [np.array([[0, 0], [9, 9], GONE]), np.array([[1, 1], [1, 1], [1, 1]])]
    one = np.array([[[3, 4], GONE, [5, 5]], [[0, 1], [9, 6], [5, 5]]])
    two = np.array([[GONE, [1, 2], [1, 3]], [[1, 1], GONE, GONE]])
    metrics, curves = ball_errors(truths, [one, two])
    # Window 1: 5, 1 and 3; window 2: 1, 2 and 0. Nothing counts where the truth has no ball.
    assert metrics["ball_error"] == pytest.approx((3 + 1) / 2)
    assert metrics["ball_error_ci"] == pytest.approx(1.96 * 2 / 2)
    assert metrics["ball_found"] == pytest.approx(6 / 10)
    np.testing.assert_allclose(curves["ball_error"], [(5 + 1 + 0) / 3, (3 + 1) / 2, 2])
    np.testing.assert_allclose(curves["ball_found"], [3 / 4, 2 / 4, 1 / 2])


@pytest.mark.filterwarnings("error::RuntimeWarning")
def test_windows_without_a_ball():
    nothing = np.full((1, 2, 2), np.nan)
    metrics, curves = ball_errors([nothing[0]] * 2, [nothing] * 2)
    assert np.isnan(metrics["ball_error"]) and metrics["ball_error_ci"] is None
    assert np.isnan(metrics["ball_found"]) and np.isnan(curves["ball_found"]).all()
    metrics, _ = ball_errors([np.zeros((2, 2))], [nothing])
    assert np.isnan(metrics["ball_error"]) and metrics["ball_found"] == 0


def test_data_with_a_ball(tmp_path):
    from keras_cvae.data.synthetic.find_ball import find_ball

    assert ball_finder("builtin") is None and ball_finder("builtin-ball") is find_ball
    assert ball_finder(tmp_path) is None
    for ball, expected in ((True, find_ball), (False, None), (1, None)):
        info = {"frame_size": [16, 24], "ball": ball}
        (tmp_path / "dataset.json").write_text(json.dumps(info))
        assert ball_finder(tmp_path) is expected
    (tmp_path / "dataset.json").write_text("{}")
    with pytest.raises(UserError, match="frame_size must be"):
        ball_finder(tmp_path)
