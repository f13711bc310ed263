"""Gradients of weights that are collected equal those of autograd."""

import pytest

torch = pytest.importorskip("torch")
import keras  # noqa: E402
import numpy as np  # noqa: E402
from keras import ops  # noqa: E402

from keras_cvae.backend import convolutions_torch as convolutions  # noqa: E402
from keras_cvae.backend.weight_gradients import TOGETHER, collected  # noqa: E402

pytestmark = pytest.mark.skipif(keras.backend.backend() != "torch", reason="Keras is not on torch")

KINDS = {
    "CONV3X3": (3, 3, 5, 5),
    "DEPTHWISE3X3": (3, 3, 5, 1),
    "POINTWISE": (5, 5),
    "PRODUCT": (5, 5),
}


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("uses", [1, TOGETHER, TOGETHER + 2])
def test_of_a_weight_that_is_used_several_times(kind, uses):
    rng = np.random.default_rng(0)
    weights = [
        keras.Variable(rng.standard_normal(shape).astype("float32") / 3)
        for shape in (KINDS[kind], (5,))
    ]
    other = keras.Variable(np.float32([2.0]))
    variables = [other, *weights]
    values = [variable.value for variable in variables]
    first = ops.convert_to_tensor(rng.standard_normal((2, 4, 6, 5)).astype("float32"))

    def loss():
        x = first
        for _ in range(uses):
            x = torch.tanh(convolutions._convolve(getattr(convolutions, kind), x, weights))
        return (x**2).sum() * values[0].sum()

    expected = torch.autograd.grad(loss(), values)
    with collected(variables) as found:
        gradients = found.gradients(loss())
    for ours, theirs in zip(gradients, expected, strict=True):
        torch.testing.assert_close(ours, theirs, rtol=1e-5, atol=1e-5)


def test_a_use_that_the_loss_does_not_depend_on():
    weights = [keras.Variable(np.eye(3, dtype="float32")), keras.Variable(np.zeros(3, "float32"))]
    x = ops.ones((1, 2, 2, 3))
    with collected(weights) as found:
        used, _ = (convolutions.pointwise(x, weights) for _ in range(2))
        kernel, bias = found.gradients(used.sum())
    assert kernel.tolist() == [[4.0] * 3] * 3 and bias.tolist() == [4.0] * 3


def test_weights_that_are_not_trained_are_left_alone():
    kernel, bias = (
        keras.Variable(np.eye(3, dtype="float32")),
        keras.Variable(np.zeros(3, "float32")),
    )
    x = ops.ones((1, 2, 2, 3))
    with collected([bias]) as found:
        y = convolutions.pointwise(x, [kernel, bias])
        (total,) = found.gradients(y.sum())
    assert total.tolist() == [4.0] * 3


def test_images_of_two_sizes():
    weights = [keras.Variable(np.eye(3, dtype="float32")), keras.Variable(np.zeros(3, "float32"))]
    with collected(weights) as found:
        sizes = [convolutions.pointwise(ops.ones((1, n, n, 3)), weights) for n in (2, 4)]
        kernel, bias = found.gradients(sum(each.sum() for each in sizes))
    assert kernel.tolist() == [[20.0] * 3] * 3 and bias.tolist() == [20.0] * 3


@pytest.mark.parametrize("dtype", ["float32", "bfloat16"])
def test_another_backward_pass_in_the_loss_has_its_own_gradients(dtype):
    weights = [keras.Variable(np.eye(3, dtype="float32")), keras.Variable(np.zeros(3, "float32"))]
    x = ops.ones((1, 2, 2, 3), dtype).requires_grad_()
    with collected(weights) as found:
        y = convolutions.pointwise(x, weights)
        values = [x, *(each.value for each in weights)]
        inner = torch.autograd.grad(y.sum(), values, retain_graph=True)
        kernel, bias = found.gradients(y.sum())
    assert {each.dtype for each in (*inner[1:], kernel, bias)} == {torch.float32}
    assert inner[2].tolist() == [4.0] * 3 and inner[0].tolist() == ops.ones_like(x).tolist()
    assert kernel.tolist() == inner[1].tolist() == [[4.0] * 3] * 3 and bias.tolist() == [4.0] * 3
