"""TensorFlow's own convolutions do what `keras.ops` do, and their gradients too."""

import pytest
from checks import run_python

pytest.importorskip("tensorflow")

CODE = """
import numpy as np
import tensorflow as tf
import reference_convolutions as reference
from keras_cvae.backend.convolutions import backend_convolutions

rng = np.random.default_rng(0)
native = backend_convolutions()
assert native.__name__.endswith("tensorflow")
kernels = {"conv3x3": (3, 3, 5, 7), "depthwise3x3": (3, 3, 5, 1), "pointwise": (5, 7)}
for name, shape in kernels.items():
    outputs = 5 if name == "depthwise3x3" else 7
    arrays = [tf.constant(rng.random(s), "float32") for s in ((2, 9, 6, 5), shape, (outputs,))]
    weights = rng.random((2, 9, 6, outputs)).astype("float32")
    results = []
    for module in (native, reference):
        with tf.GradientTape() as tape:
            tape.watch(arrays)
            y = getattr(module, name)(arrays[0], arrays[1:])
            total = tf.reduce_sum(y * weights)
        results.append([y, *tape.gradient(total, arrays)])
    for ours, theirs in zip(*results, strict=True):
        assert ours.shape == theirs.shape
        np.testing.assert_allclose(ours, theirs, rtol=1e-4, atol=1e-5)


for known, result in (((None, 4, 6, 5), (None, 4, 6, 7)), ((None,) * 3 + (5,), (None,) * 3 + (7,))):
    function = tf.function(
        lambda x: native.pointwise(x, arrays[1:]),
        input_signature=[tf.TensorSpec(known)],
    )
    assert tuple(function.get_concrete_function().output_shapes) == result
    assert function(tf.zeros((3, 4, 6, 5))).shape == (3, 4, 6, 7)
"""


def test_values_and_gradients_are_those_of_keras():
    run_python(CODE, backend="tensorflow")
