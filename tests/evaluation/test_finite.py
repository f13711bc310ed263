"""What is not finite, in predictions and in results."""

import json

import numpy as np
import pytest

from keras_cvae.errors import NotFiniteError, UserError
from keras_cvae.evaluation.finite import check_prediction, finite_or_null


@pytest.mark.parametrize("wrong", [np.nan, np.inf, -np.inf])
def test_the_first_frame_that_is_not_finite_is_named(wrong):
    prediction = np.zeros((6, 4, 4, 3), "float32")
    check_prediction(prediction, "walk")
    prediction[3, 1, 2, 0] = prediction[5] = wrong
    with pytest.raises(UserError, match=r"prediction of walk, from frame 3 on, is not finite") as e:
        check_prediction(prediction, "walk")
    assert isinstance(e.value, NotFiniteError) and "\n" not in str(e.value)
    check_prediction(np.zeros((2, 4, 4, 3), np.uint8), "whole numbers are finite")


def test_results_become_json():
    nan = float("nan")
    values = {"a": nan, "b": {"c": np.float64("inf"), "d": 1.5}, "e": [nan, 2], "f": 3, "g": None}
    clean = finite_or_null(values)
    assert clean == {"a": None, "b": {"c": None, "d": 1.5}, "e": [None, 2], "f": 3, "g": None}
    json.dumps(clean, allow_nan=False)
    assert finite_or_null(-np.inf) is None and finite_or_null(0.0) == 0
