"""Convolutions of channels-last images without a change of layout.

Keras' own convolutions copy their input twice and the kernel once. PyTorch takes a channels-last
image as it is: after `permute`, its strides say that the channels are innermost. A 1 x 1
convolution is faster as a convolution than as a product of matrices: oneDNN computes it and adds
the bias in the same operation.
"""

from typing import Any

from torch.nn import functional

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
    return _conv(x, kernel.permute(3, 2, 0, 1), bias, padding=1)


def depthwise3x3(x: Tensor, kernel: Tensor, bias: Tensor) -> Tensor:
    """A depthwise 3 x 3 convolution that keeps height and width.

    Args:
        x: (n, H, W, i) images.
        kernel: (3, 3, i, 1).
        bias: (i,).

    Returns:
        (n, H, W, i).
    """
    return _conv(x, kernel.permute(2, 3, 0, 1), bias, padding=1, groups=x.shape[-1])


def pointwise(x: Tensor, kernel: Tensor, bias: Tensor) -> Tensor:
    """A 1 x 1 convolution.

    Args:
        x: (n, H, W, i) images.
        kernel: (i, o).
        bias: (o,).

    Returns:
        (n, H, W, o).
    """
    return _conv(x, kernel.t()[:, :, None, None], bias)


def _conv(x: Tensor, kernel: Tensor, bias: Tensor, **options: Any) -> Tensor:
    # A kernel that is not contiguous has no gradient in the convolution that PyTorch takes for
    # small images on one thread.
    kernel = kernel.contiguous()
    y = functional.conv2d(x.permute(0, 3, 1, 2), kernel, bias, **options)
    return y.permute(0, 2, 3, 1)
