"""TensorFlow's own convolutions do what `keras.ops` do, and their gradients too."""

import pytest
from checks import run_python

pytest.importorskip("tensorflow")

CODE = """
import numpy as np
import tensorflow as tf
from keras_cvae.native import convolutions, generic

rng = np.random.default_rng(0)
native = convolutions()
assert native.__name__.endswith("tensorflow")
kernels = {"conv3x3": (3, 3, 5, 7), "depthwise3x3": (3, 3, 5, 1), "pointwise": (5, 7)}
for name, shape in kernels.items():
    outputs = 5 if name == "depthwise3x3" else 7
    arrays = [tf.constant(rng.random(s), "float32") for s in ((2, 9, 6, 5), shape, (outputs,))]
    weights = rng.random((2, 9, 6, outputs)).astype("float32")
    results = []
    for module in (native, generic):
        with tf.GradientTape() as tape:
            tape.watch(arrays)
            y = getattr(module, name)(*arrays)
            total = tf.reduce_sum(y * weights)
        results.append([y, *tape.gradient(total, arrays)])
    for ours, theirs in zip(*results, strict=True):
        assert ours.shape == theirs.shape
        np.testing.assert_allclose(ours, theirs, rtol=1e-4, atol=1e-5)


@tf.function(input_signature=[tf.TensorSpec((None, 4, 6, 5))])
def any_batch(x):
    return native.pointwise(x, arrays[1], arrays[2])


assert any_batch.get_concrete_function().output_shapes == (None, 4, 6, 7)
assert any_batch(tf.zeros((3, 4, 6, 5))).shape == (3, 4, 6, 7)
"""


def test_values_and_gradients_are_those_of_keras():
    run_python(CODE, backend="tensorflow")
