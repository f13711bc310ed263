"""Convolutions of channels-last images in `keras.ops`."""

from keras import ops

from keras_cvae.backend.tensor import Tensor


def conv3x3(x: Tensor, kernel: Tensor, bias: Tensor) -> Tensor:
    """A 3 x 3 convolution that keeps height and width.

    Args:
        x: (n, H, W, i) images.
        kernel: (3, 3, i, o).
        bias: (o,).

    Returns:
        (n, H, W, o).
    """
    return ops.conv(x, kernel, padding="same", data_format="channels_last") + bias


def depthwise3x3(x: Tensor, kernel: Tensor, bias: Tensor) -> Tensor:
    """A depthwise 3 x 3 convolution that keeps height and width.

    Args:
        x: (n, H, W, i) images.
        kernel: (3, 3, i, 1).
        bias: (i,).

    Returns:
        (n, H, W, i).
    """
    return ops.depthwise_conv(x, kernel, padding="same", data_format="channels_last") + bias


def pointwise(x: Tensor, kernel: Tensor, bias: Tensor) -> Tensor:
    """A 1 x 1 convolution, as a product of matrices.

    Args:
        x: (n, H, W, i) images.
        kernel: (i, o).
        bias: (o,).

    Returns:
        (n, H, W, o).
    """
    return ops.matmul(x, kernel) + bias
