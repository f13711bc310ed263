"""Convolutions on JAX, with what XLA is slow at on a CPU in other operations.

XLA has fast 3 x 3 convolutions for a CPU, but it computes the gradient of a kernel as a convolution
whose kernel is as large as the images, and a depthwise convolution channel by channel. Products of
matrices and sums of shifted images give the same numbers, and a training step of `lab` takes a
tenth of the time. On other devices this was not measured, and XLA has its own way there. (A 1 x 1
convolution is a product of two matrices on every device.)

On every device a bias has a gradient of its own, summed in float32. XLA sums it in the type of the
images: in bfloat16 a sum of positive numbers stops at 256 times the largest of them.
"""

from collections.abc import Sequence
from typing import Any

import jax
import jax.numpy as jnp
from keras import ops

from keras_cvae.backend.tensor import Tensor


def conv3x3(x: Tensor, weights: Sequence[Any]) -> Tensor:
    """A 3 x 3 convolution; see `keras_cvae.layers.blocks.conv3x3`."""
    kernel, bias = map(ops.convert_to_tensor, weights)
    return _add_bias((_conv3x3 if _on_cpu() else _same)(x, kernel), bias)


def depthwise3x3(x: Tensor, weights: Sequence[Any]) -> Tensor:
    """A depthwise convolution; see `keras_cvae.layers.blocks.depthwise3x3`."""
    kernel, bias = map(ops.convert_to_tensor, weights)
    return _add_bias((_depthwise3x3 if _on_cpu() else _depthwise)(x, kernel), bias)


def pointwise(x: Tensor, weights: Sequence[Any]) -> Tensor:
    """A 1 x 1 convolution; see `keras_cvae.layers.blocks.pointwise`."""
    kernel, bias = map(ops.convert_to_tensor, weights)
    in_channels, filters = kernel.shape
    y = ops.matmul(ops.reshape(x, (-1, in_channels)), kernel)
    return _add_bias(ops.reshape(y, (*x.shape[:-1], filters)), bias)


def _on_cpu() -> bool:
    return jax.default_backend() == "cpu"


def _wide(dtype: Any) -> Any:
    """The type to sum in."""
    return jnp.promote_types(dtype, "float32")


# --- Bias ---


@jax.custom_vjp
def _add_bias(y, bias):
    return y + bias


def _add_bias_backward(bias, gradient):
    total = ops.sum(ops.cast(gradient, _wide(gradient.dtype)), axis=(0, 1, 2))
    return gradient, ops.cast(total, bias.dtype)


_add_bias.defvjp(lambda y, bias: (y + bias, bias), _add_bias_backward)


# --- 3 x 3 ---


def _same(x: Tensor, kernel: Tensor) -> Tensor:
    return ops.conv(x, kernel, padding="same", data_format="channels_last")


@jax.custom_vjp
def _conv3x3(x, kernel):
    return _same(x, kernel)


def _conv3x3_backward(inputs, gradient):
    x, kernel = inputs
    of_x = _same(gradient, ops.transpose(ops.flip(kernel, (0, 1)), (0, 1, 3, 2)))
    return ops.cast(of_x, x.dtype), ops.cast(_kernel_gradient(x, gradient), kernel.dtype)


_conv3x3.defvjp(lambda x, kernel: (_same(x, kernel), (x, kernel)), _conv3x3_backward)


def _kernel_gradient(x, gradient):
    """The gradient (3, 3, i, o) of a kernel: one product of matrices for each of its rows."""
    height, width, filters = gradient.shape[1:]
    # Column j of the kernel meets x at column w + j - 1 and the gradient at w. So the gradient is
    # shifted by j - 1, and the three shifted copies are side by side as channels.
    padded = ops.pad(gradient, [[0, 0], [0, 0], [1, 1], [0, 0]])
    columns = [padded[:, :, 2 - j : 2 - j + width] for j in range(3)]
    columns = ops.reshape(ops.concatenate(columns, axis=-1), (-1, 3 * filters))
    padded = ops.pad(x, [[0, 0], [1, 1], [0, 0], [0, 0]])
    rows = [ops.reshape(padded[:, i : i + height], (-1, x.shape[-1])) for i in range(3)]
    wide = _wide(x.dtype)
    products = [jnp.matmul(row.T, columns, preferred_element_type=wide) for row in rows]
    return ops.transpose(ops.reshape(ops.stack(products), (3, -1, 3, filters)), (0, 2, 1, 3))


# --- Depthwise ---


def _depthwise(x: Tensor, kernel: Tensor) -> Tensor:
    return ops.depthwise_conv(x, kernel, padding="same", data_format="channels_last")


def _shifted(x):
    """The nine images (n, H, W, i) that the kernel sees, row by row."""
    height, width = x.shape[1:3]
    padded = ops.pad(ops.cast(x, _wide(x.dtype)), [[0, 0], [1, 1], [1, 1], [0, 0]])
    return [padded[:, i : i + height, j : j + width] for i in range(3) for j in range(3)]


def _weighted_sum(x, kernel):
    weights = ops.reshape(kernel, (9, -1))
    total = sum(image * weight for image, weight in zip(_shifted(x), weights, strict=True))
    return ops.cast(total, x.dtype)


# Its gradient is written down, because JAX would keep the nine images for it.
@jax.custom_vjp
def _depthwise3x3(x, kernel):
    return _weighted_sum(x, kernel)


def _depthwise3x3_backward(inputs, gradient):
    x, kernel = inputs
    of_x = ops.cast(_weighted_sum(gradient, ops.flip(kernel, (0, 1))), x.dtype)
    of_kernel = [ops.sum(image * gradient, axis=(0, 1, 2)) for image in _shifted(x)]
    of_kernel = ops.reshape(ops.stack(of_kernel), kernel.shape)
    return of_x, ops.cast(of_kernel, kernel.dtype)


_depthwise3x3.defvjp(
    lambda x, kernel: (_weighted_sum(x, kernel), (x, kernel)), _depthwise3x3_backward
)
