import numpy as np
import pytest

torch = pytest.importorskip("torch")
import keras  # noqa: E402
from keras import ops  # noqa: E402

from keras_cvae.backend.recorded_step import RecordedStep  # noqa: E402

pytestmark = pytest.mark.skipif(keras.backend.backend() != "torch", reason="Keras is not on torch")


def test_a_constant_tensor_is_taken_as_it_is():
    constant = ops.convert_to_tensor([1.0, 2.0])
    step = RecordedStep(lambda x: x + constant, [], [], [ops.ones(2)])
    step.refresh()
    assert step(ops.ones(2)).tolist() == [2.0, 3.0]


def test_operations_in_place_do_not_change_what_is_computed_once():
    weight = keras.Variable(np.float32([1.0, 2.0]))
    step = RecordedStep(
        lambda x: x * ops.convert_to_tensor(weight).add(1.0).mul_(2.0).sqrt_(),
        [weight],
        [weight.value],
        [ops.ones(2)],
    )
    step.refresh()
    first, second = (step(ops.ones(2)).tolist() for _ in range(2))
    assert first == second == pytest.approx([2.0, 6.0**0.5])
    weight.assign([7.0, 17.0])
    step.refresh()
    assert step(ops.ones(2)).tolist() == pytest.approx([4.0, 6.0])
