"""1 x 1 convolutions as TensorFlow fuses them.

`keras.ops` multiplies tensors of four dimensions in batches and adds the bias in an operation of
its own. TensorFlow fuses a product of two matrices and a `BiasAdd` into one operation: in bfloat16
a training step of the `lab` architecture takes 8% less time, a prediction 13%.
"""

from collections.abc import Sequence
from typing import Any

import tensorflow as tf
from keras import ops

from keras_cvae.backend.convolutions_generic import conv3x3, depthwise3x3
from keras_cvae.backend.tensor import Tensor

__all__ = ["conv3x3", "depthwise3x3", "pointwise"]


def pointwise(x: Tensor, weights: Sequence[Any]) -> Tensor:
    """A 1 x 1 convolution, as a product of two matrices.

    Args:
        x: (n, H, W, i) images.
        weights: kernel (i, o) and bias (o,), tensors or Keras variables.

    Returns:
        (n, H, W, o).
    """
    kernel, bias = map(ops.convert_to_tensor, weights)
    in_channels, filters = kernel.shape
    y = tf.nn.bias_add(tf.matmul(tf.reshape(x, (-1, in_channels)), kernel), bias)
    height, width = ops.shape(x)[1:3]  # numbers where they are known, so that the result's are too
    return tf.reshape(y, (-1, height, width, filters))
