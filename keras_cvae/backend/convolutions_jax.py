"""Convolutions on JAX, with what XLA is slow at on a CPU in other operations.

XLA has fast 3 x 3 convolutions for a CPU, but it computes the gradient of a kernel as a convolution
whose kernel is as large as the images, and a depthwise convolution channel by channel. Products of
matrices and sums of shifted images give the same numbers, and a training step of `lab` takes a
tenth of the time. On other devices nothing of this was measured; there XLA's own are used.
"""

from collections.abc import Sequence
from typing import Any

import jax
from keras import ops

from keras_cvae.backend import convolutions_generic as generic
from keras_cvae.backend.tensor import Tensor


def conv3x3(x: Tensor, weights: Sequence[Any]) -> Tensor:
    """A 3 x 3 convolution that keeps height and width.

    Args:
        x: (n, H, W, i) images.
        weights: kernel (3, 3, i, o) and bias (o,), tensors or Keras variables.

    Returns:
        (n, H, W, o).
    """
    if not _on_cpu():
        return generic.conv3x3(x, weights)
    kernel, bias = map(ops.convert_to_tensor, weights)
    return _conv3x3(x, kernel) + bias


def depthwise3x3(x: Tensor, weights: Sequence[Any]) -> Tensor:
    """A depthwise 3 x 3 convolution that keeps height and width.

    Args:
        x: (n, H, W, i) images.
        weights: kernel (3, 3, i, 1) and bias (i,), tensors or Keras variables.

    Returns:
        (n, H, W, i).
    """
    if not _on_cpu():
        return generic.depthwise3x3(x, weights)
    kernel, bias = map(ops.convert_to_tensor, weights)
    height, width = x.shape[1:3]
    padded = ops.pad(x, [[0, 0], [1, 1], [1, 1], [0, 0]])
    # Summed in float32, as a convolution does.
    total = sum(
        ops.cast(padded[:, i : i + height, j : j + width], "float32") * kernel[i, j, :, 0]
        for i in range(3)
        for j in range(3)
    )
    return ops.cast(total, x.dtype) + bias


def pointwise(x: Tensor, weights: Sequence[Any]) -> Tensor:
    """A 1 x 1 convolution, as a product of two matrices, which has a faster gradient.

    Args:
        x: (n, H, W, i) images.
        weights: kernel (i, o) and bias (o,), tensors or Keras variables.

    Returns:
        (n, H, W, o).
    """
    kernel, bias = map(ops.convert_to_tensor, weights)
    in_channels, filters = kernel.shape
    y = ops.matmul(ops.reshape(x, (-1, in_channels)), kernel)
    return ops.reshape(y, (*x.shape[:-1], filters)) + bias


def _on_cpu() -> bool:
    return jax.default_backend() == "cpu"


def _same(x: Tensor, kernel: Tensor) -> Tensor:
    return ops.conv(x, kernel, padding="same", data_format="channels_last")


@jax.custom_vjp
def _conv3x3(x, kernel):
    return _same(x, kernel)


def _forward(x, kernel):
    return _same(x, kernel), (x, kernel)


def _backward(inputs, gradient):
    x, kernel = inputs
    of_x = _same(gradient, ops.transpose(ops.flip(kernel, (0, 1)), (0, 1, 3, 2)))
    return of_x, ops.cast(_kernel_gradient(x, gradient), kernel.dtype)


_conv3x3.defvjp(_forward, _backward)


def _kernel_gradient(x, gradient):
    """The gradient (3, 3, i, o) of a kernel: one product of matrices for each of its rows."""
    height, width, filters = gradient.shape[1:]
    # The output at a column saw the input to its left by the kernel's first column: the gradients
    # are shifted against the input, those of the three columns side by side as channels.
    padded = ops.pad(gradient, [[0, 0], [0, 0], [1, 1], [0, 0]])
    columns = [padded[:, :, 2 - j : 2 - j + width] for j in range(3)]
    columns = ops.reshape(ops.concatenate(columns, axis=-1), (-1, 3 * filters))
    padded = ops.pad(x, [[0, 0], [1, 1], [0, 0], [0, 0]])
    rows = [ops.reshape(padded[:, i : i + height], (-1, x.shape[-1])) for i in range(3)]
    products = ops.stack(
        [jax.numpy.matmul(row.T, columns, preferred_element_type="float32") for row in rows]
    )
    return ops.transpose(ops.reshape(products, (3, -1, 3, filters)), (0, 2, 1, 3))
