"""The convolutions of the backends in `keras.ops`, to compare theirs with in float32."""

from keras import ops


def conv3x3(x, weights):
    """A 3 x 3 convolution that keeps height and width.

    Args:
        x: (n, H, W, i) images.
        weights: kernel (3, 3, i, o) and bias (o,), tensors or Keras variables.

    Returns:
        (n, H, W, o).
    """
    kernel, bias = map(ops.convert_to_tensor, weights)
    return ops.conv(x, kernel, padding="same", data_format="channels_last") + bias


def depthwise3x3(x, weights):
    """A depthwise 3 x 3 convolution that keeps height and width.

    Args:
        x: (n, H, W, i) images.
        weights: kernel (3, 3, i, 1) and bias (i,), tensors or Keras variables.

    Returns:
        (n, H, W, i).
    """
    kernel, bias = map(ops.convert_to_tensor, weights)
    return ops.depthwise_conv(x, kernel, padding="same", data_format="channels_last") + bias


def pointwise(x, weights):
    """A 1 x 1 convolution, as a product of matrices.

    Args:
        x: (n, H, W, i) images.
        weights: kernel (i, o) and bias (o,), tensors or Keras variables.

    Returns:
        (n, H, W, o).
    """
    kernel, bias = map(ops.convert_to_tensor, weights)
    return ops.matmul(x, kernel) + bias
