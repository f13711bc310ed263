"""Convolutions of channels-last images without a change of layout.

Keras' own copy their input twice and lay out the kernel anew. PyTorch takes a channels-last image
as it is: permuted, its strides say that the channels lie innermost. A 1 x 1 convolution is faster
as a convolution than as a product of matrices, by oneDNN and with the bias added on the way.
"""

from torch.nn import functional


def conv3x3(x, kernel, bias):
    """A 3 x 3 convolution of `x` (n, H, W, i) with a kernel (3, 3, i, o)."""
    return _conv(x, kernel.permute(3, 2, 0, 1), bias, padding=1)


def depthwise3x3(x, kernel, bias):
    """A depthwise 3 x 3 convolution of `x` (n, H, W, i) with a kernel (3, 3, i, 1)."""
    return _conv(x, kernel.permute(2, 3, 0, 1), bias, padding=1, groups=x.shape[-1])


def pointwise(x, kernel, bias):
    """A 1 x 1 convolution of `x` (n, H, W, i) with a kernel (i, o)."""
    return _conv(x, kernel.t()[:, :, None, None], bias)


def _conv(x, kernel, bias, **options):
    # A kernel that is not contiguous has no gradient in the convolution that PyTorch takes for
    # small images on one thread.
    kernel = kernel.contiguous()
    y = functional.conv2d(x.permute(0, 3, 1, 2), kernel, bias, **options)
    return y.permute(0, 2, 3, 1)
