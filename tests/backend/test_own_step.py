"""The step without gradients, on torch; other backends by tests/model/test_rollout.py."""

import numpy as np
import pytest

torch = pytest.importorskip("torch")
import keras  # noqa: E402
from keras import ops  # noqa: E402

from keras_cvae.backend import own_step, recorded_step  # noqa: E402
from keras_cvae.backend.own_step import OwnStep  # noqa: E402

pytestmark = pytest.mark.skipif(keras.backend.backend() != "torch", reason="Keras is not on torch")


class Layer(keras.layers.Layer):
    """Of lower precision: in its call the value of a variable is a copy."""

    def __init__(self, step):
        super().__init__(dtype="mixed_bfloat16")
        self.step = step

    def call(self, x):
        x = ops.cast(x, "float32")
        return self.step.for_inputs(x)(x)


@pytest.fixture
def weight():
    return keras.Variable(np.float32([2.0]))


@pytest.fixture
def step(weight):
    return OwnStep(lambda x: x * ops.convert_to_tensor(weight), [weight])


def test_it_has_the_present_weights_and_no_gradient(step, weight):
    for value in (2.0, 5.0):
        weight.assign([value])
        y = step.for_inputs(ops.ones(3))(ops.ones(3))
        assert y.tolist() == [value] * 3 and not y.requires_grad


def test_weights_stay_the_present_ones_in_a_layer_of_lower_precision(step, weight):
    layer = Layer(step)
    for value in (2.0, 5.0):
        weight.assign([value])
        assert layer(ops.ones(3)).tolist() == [value] * 3


def test_inputs_of_any_layout_are_taken(weight):
    step = OwnStep(lambda x: ops.reshape(x, (-1,)) * ops.convert_to_tensor(weight), [weight])
    x = ops.arange(6.0).reshape(2, 3)
    across = x.t().contiguous().t()
    for example in (x, across):
        for later in (x, across):
            assert step.for_inputs(example)(later).tolist() == [0.0, 2.0, 4.0, 6.0, 8.0, 10.0]


def test_what_compiles_by_itself_is_not_recorded(step, monkeypatch):
    monkeypatch.setattr(torch.compiler, "is_compiling", lambda: True)
    monkeypatch.setattr(recorded_step, "RecordedStep", None)
    y = step.for_inputs(ops.ones(3))(ops.ones(3))
    assert y.tolist() == [2.0] * 3 and not y.requires_grad


def test_it_is_recorded_once_for_a_shape_and_keeps_some(weight, monkeypatch):
    made = []

    class Counts(recorded_step.RecordedStep):
        def __init__(self, *arguments):
            made.append(arguments[3][0].shape[0])
            super().__init__(*arguments)

    monkeypatch.setattr(recorded_step, "RecordedStep", Counts)
    monkeypatch.setattr(own_step, "SHAPES_KEPT", 2)
    step = OwnStep(lambda x: x * ops.convert_to_tensor(weight), [weight])
    for size in (1, 2, 1, 2, 3, 2, 1):
        assert step.for_inputs(ops.ones(size))(ops.ones(size)).tolist() == [2.0] * size
    assert made == [1, 2, 3, 1]  # the oldest made room for the third


def test_a_compiled_step_has_it_inside(weight):
    class Networks(keras.layers.Layer):
        def step(self, x):  # a method, as of an architecture
            return x * ops.convert_to_tensor(weight)

    own = OwnStep(Networks().step, [weight])
    # Without a code generator: what is tested is whether the step can be traced.
    compiled = torch.compile(lambda x: own.for_inputs(x)(x) + x, backend="eager")
    x = ops.ones(3).requires_grad_()
    result = compiled(x)
    assert result.tolist() == [3.0] * 3
    result.sum().backward()
    assert x.grad.tolist() == [1.0] * 3, "no gradient flows through the own step"
