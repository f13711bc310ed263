"""Convolutions of channels-last images in `keras.ops`."""

from keras import ops


def conv3x3(x, kernel, bias):
    """A 3 x 3 convolution of `x` (n, H, W, i) with a kernel (3, 3, i, o)."""
    return ops.conv(x, kernel, padding="same", data_format="channels_last") + bias


def depthwise3x3(x, kernel, bias):
    """A depthwise 3 x 3 convolution of `x` (n, H, W, i) with a kernel (3, 3, i, 1)."""
    return ops.depthwise_conv(x, kernel, padding="same", data_format="channels_last") + bias


def pointwise(x, kernel, bias):
    """A 1 x 1 convolution of `x` (n, H, W, i) with a kernel (i, o): a product of matrices."""
    return ops.matmul(x, kernel) + bias
