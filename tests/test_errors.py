import sys

import keras
import numpy as np
import pytest

from keras_cvae.errors import UserError, check_at_least_1, first_line, optional_package


def test_the_first_line_of_a_message_or_the_kind():
    assert first_line(ValueError("\none\ntwo")) == "one"
    assert first_line(KeyError()) == "KeyError"


def test_what_a_layer_raised_is_told_without_the_heading_of_keras():
    class Raises(keras.layers.Layer):
        def call(self, inputs):
            raise RuntimeError("too little\nof it")

    with pytest.raises(RuntimeError, match="Exception encountered when") as raised:
        Raises()(np.zeros(1))
    assert first_line(raised.value) == "too little"


def test_what_is_below_1_is_said_with_all_names():
    check_at_least_1(every=1, max_frames=None)
    with pytest.raises(ValueError, match="every and max_frames must be at least 1; got every=2, m"):
        check_at_least_1(every=2, max_frames=0)


def test_a_package_that_is_absent_is_named_as_it_is_installed(monkeypatch):
    assert optional_package("json", "none", "to read JSON").loads("1") == 1
    for name in ("ai_edge_litert", "ai_edge_litert.interpreter"):  # both may be imported already
        monkeypatch.setitem(sys.modules, name, None)
    with pytest.raises(UserError) as error:
        optional_package("ai_edge_litert.interpreter", "video", "to find people")
    text = str(error.value)
    assert text.startswith("ai-edge-litert is needed to find people")
    assert text.endswith("pip install ai-edge-litert, or 'keras_cvae[video]'.")
