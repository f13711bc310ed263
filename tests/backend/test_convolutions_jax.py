"""JAX's own convolutions do what `keras.ops` do, and their gradients too."""

import pytest
from checks import run_python

pytest.importorskip("jax")

CODE = """
import jax
import numpy as np
from jax import numpy as jnp
from keras import ops
import reference_convolutions as reference
from keras_cvae.backend.convolutions import backend_convolutions

rng = np.random.default_rng(0)
own = backend_convolutions()
assert own.__name__.endswith("jax")
kernels = {"conv3x3": (3, 3, 5, 7), "depthwise3x3": (3, 3, 5, 1), "pointwise": (5, 7)}


def results(module, name, arrays, factors):
    def total(arrays):
        y = getattr(module, name)(arrays[0], arrays[1:])
        return jnp.sum(ops.cast(y * factors, "float32")), y

    gradients, y = jax.jit(jax.grad(total, has_aux=True))(arrays)
    return y, *gradients


for size in ((1, 4, 4), (2, 9, 6), (3, 1, 5), (2, 4, 1)):
    for name, shape in kernels.items():
        outputs = 5 if name == "depthwise3x3" else 7
        shapes = ((*size, 5), shape, (outputs,))
        for dtype, near in (("float32", 1e-5), ("float16", 2e-3), ("bfloat16", 0.012)):
            # Of both signs: shifted or swapped values would not pass.
            arrays = [jnp.asarray(rng.standard_normal(s), dtype) for s in shapes]
            factors = jnp.asarray(rng.standard_normal((*size, outputs)), dtype)
            ours = results(own, name, arrays, factors)
            # bfloat16 has 8 bits. The bias and its gradient are sums in the type itself.
            exact = [a.astype("float32") for a in arrays]
            right = results(reference, name, exact, factors.astype("float32"))
            for a, b in zip(ours, right, strict=True):
                assert a.dtype == dtype and a.shape == b.shape, (name, a.dtype, a.shape)
                scale = float(abs(b).max())
                np.testing.assert_allclose(
                    np.asarray(a, "float32") / scale, np.asarray(b) / scale, atol=near
                )
"""


def test_values_and_gradients_are_those_of_keras():
    run_python(CODE, backend="jax", gpu=False)


def test_other_devices_use_xlas_own_and_a_loop_keeps_no_more():
    code = """
import jax
import jax.numpy as jnp
from keras_cvae.backend import convolutions_jax
from keras_cvae.backend.convolutions_jax import conv3x3, depthwise3x3

def kinds():
    x, bias = jnp.zeros((2, 4, 4, 3)), jnp.zeros(3)
    full, depthwise = jnp.zeros((3, 3, 3, 3)), jnp.zeros((3, 3, 3, 1))
    one = str(jax.make_jaxpr(lambda x: conv3x3(x, (full, bias)))(x))
    other = str(jax.make_jaxpr(lambda x: depthwise3x3(x, (depthwise, bias)))(x))
    return "name=_conv3x3" in one, "conv_general_dilated" in other


def kept():
    # What the gradient of a depthwise convolution in a loop over three frames has of all frames.
    def loss(kernel, x):
        step = lambda x, _: (depthwise3x3(x, (kernel, jnp.zeros(3))), None)
        return jax.lax.scan(step, x, None, length=3)[0].sum()

    program = jax.make_jaxpr(jax.grad(loss))(jnp.ones((3, 3, 3, 1)), jnp.ones((2, 4, 4, 3)))
    return str(program).count("f32[3,2,4,4,3]")


own = kept()

assert kinds() == (True, False)
convolutions_jax._on_cpu = lambda: False
assert kinds() == (False, True)
assert 0 < own <= kept(), (own, kept())
"""
    run_python(code, backend="jax", gpu=False)
