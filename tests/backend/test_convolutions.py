"""What holds for the convolutions of every backend."""

import numpy as np
import pytest
from checks import BACKENDS, call, gradients, installed_backends


def _bias_gradients(backend):
    """Of a bias that is added to 8,192 pixels, whose gradients are all positive."""
    from keras import ops

    from keras_cvae.layers.blocks import Block, conv3x3, depthwise3x3, pointwise

    class Convolution(Block):
        def build(self, input_shape=None):
            self.kernel, self.bias = self.conv_weights(*self.kind)

        def call(self, x):
            return self.function(x, (self.kernel, self.bias))

    rng = np.random.default_rng(0)
    images, slopes = (rng.random((4, 32, 64, 3)).astype("float32") for _ in range(2))
    for precision in ("mixed_bfloat16", "mixed_float16", "float32"):
        for function, *kind in (
            (conv3x3, "conv", (3, 3, 3, 3), 27),
            (depthwise3x3, "depthwise", (3, 3, 3, 1), 9),
            (pointwise, "project", (3, 3), 3),
        ):
            layer = Convolution(3, 3, dtype=precision)
            layer.function, layer.kind = function, kind
            layer.build()

            def loss(layer=layer):
                return ops.sum(ops.multiply(ops.cast(layer(images), "float32"), slopes)), ()

            _, (_, gradient), _ = gradients(layer, loss)
            right = slopes.sum((0, 1, 2))
            near = {"mixed_bfloat16": 1e-2, "mixed_float16": 1e-3, "float32": 1e-5}[precision]
            np.testing.assert_allclose(
                gradient, right, rtol=near, err_msg=f"{precision} {function.__name__}"
            )


@pytest.mark.parametrize("backend", BACKENDS)
def test_the_gradient_of_a_bias_is_summed_in_float32(backend):
    if backend not in installed_backends():
        pytest.skip(f"{backend} is not installed")
    call(_bias_gradients, backend, backend=backend)
