"""Convolutions of channels-last images without a change of layout.

Keras' own convolutions copy their input twice and the kernel once. PyTorch takes a channels-last
image as it is: after `permute`, its strides say that the channels are innermost. A 1 x 1
convolution is faster as a convolution on a CPU: oneDNN computes it and adds the bias in the same
operation. On a GPU it is faster as a product of matrices, for the same reason.
"""

from collections.abc import Callable, Sequence
from functools import partial
from typing import Any

import torch
from keras import ops
from torch.nn import functional

from keras_cvae.backend.tensor import Tensor
from keras_cvae.backend.weight_gradients import Convolution, collecting


def conv3x3(x: Tensor, weights: Sequence[Any]) -> Tensor:
    """A 3 x 3 convolution; see `keras_cvae.layers.blocks.conv3x3`."""
    return _convolve(CONV3X3, x, weights)


def depthwise3x3(x: Tensor, weights: Sequence[Any]) -> Tensor:
    """A depthwise convolution; see `keras_cvae.layers.blocks.depthwise3x3`."""
    return _convolve(DEPTHWISE3X3, x, weights)


def pointwise(x: Tensor, weights: Sequence[Any]) -> Tensor:
    """A 1 x 1 convolution; see `keras_cvae.layers.blocks.pointwise`."""
    return _convolve(PRODUCT if x.device.type == "cuda" else POINTWISE, x, weights)


def _convolve(kind: Convolution, x: Tensor, weights: Sequence[Any]) -> Tensor:
    gradients = collecting(weights)
    if gradients is not None:
        return gradients.convolve(kind, x, weights)
    kernel, bias = map(ops.convert_to_tensor, weights)
    return kind.forward(x, kind.lay_out(kernel), bias)


# --- As convolutions ---


def _forward(x: Tensor, weight: Tensor, bias: Tensor, depthwise: bool = False) -> Tensor:
    options = {"padding": weight.shape[-1] // 2, "groups": len(weight) if depthwise else 1}
    return functional.conv2d(x.permute(0, 3, 1, 2), weight, bias, **options).permute(0, 2, 3, 1)


def _gradients(
    x: Tensor, weight: Tensor, gy: Tensor, asked: list[bool], depthwise: bool
) -> tuple[Tensor, Tensor, Tensor]:
    pad, groups = weight.shape[-1] // 2, len(weight) if depthwise else 1
    return torch.ops.aten.convolution_backward(
        *(gy.permute(0, 3, 1, 2), x.permute(0, 3, 1, 2), weight, [len(weight)]),
        *([1, 1], [pad, pad], [1, 1], False, [0, 0], groups, asked),
    )


def _convolution(
    axes: tuple[int, ...], back: Callable[[Tensor], Tensor], depthwise: bool = False
) -> Convolution:
    """A kind that PyTorch's convolution computes; `axes` are those of its weight in the kernel."""

    def lay_out(kernel: Tensor) -> Tensor:
        if kernel.dim() == 2:
            kernel = kernel[None, None]
        kernel = kernel.permute(axes)
        if kernel.device.type == "cuda" and not depthwise:
            return kernel.contiguous(memory_format=torch.channels_last)
        # A kernel that is not contiguous has no gradient in the convolution that PyTorch takes for
        # small images on one thread.
        return kernel.contiguous()

    def image_gradient(x: Tensor, weight: Tensor, gy: Tensor) -> Tensor:
        asked = [True, False, False]
        return _gradients(x, weight, gy, asked, depthwise)[0].permute(0, 2, 3, 1)

    def weight_gradients(x: Tensor, weight: Tensor, gy: Tensor) -> tuple[Tensor, Tensor]:
        kernel = _gradients(x, weight, gy, [False, True, False], depthwise)[1]
        return back(kernel), _bias_gradient(gy)

    return Convolution(
        lay_out, partial(_forward, depthwise=depthwise), image_gradient, weight_gradients
    )


CONV3X3 = _convolution((3, 2, 0, 1), lambda kernel: kernel.permute(2, 3, 1, 0))
DEPTHWISE3X3 = _convolution((2, 3, 0, 1), lambda kernel: kernel.permute(2, 3, 0, 1), True)
POINTWISE = _convolution((3, 2, 0, 1), lambda kernel: kernel[:, :, 0, 0].t())

# --- As a product of matrices ---


def _product(x: Tensor, kernel: Tensor, bias: Tensor) -> Tensor:
    # Of two dimensions: only then is the bias added in the same operation when it is recorded.
    return torch.addmm(bias, x.reshape(-1, x.shape[-1]), kernel).view(
        *x.shape[:-1], kernel.shape[-1]
    )


def _product_gradients(x: Tensor, kernel: Tensor, gy: Tensor) -> tuple[Tensor, Tensor]:
    rows, gradients = (each.reshape(-1, each.shape[-1]) for each in (x, gy))
    return rows.t() @ gradients, _bias_gradient(gy)


def _bias_gradient(gy: Tensor) -> Tensor:
    # A product, which a GPU computes up to six times as fast as a sum over rows.
    gradients = gy.reshape(-1, gy.shape[-1])
    return (gradients.new_ones(1, len(gradients)) @ gradients)[0]


PRODUCT = Convolution(
    lay_out=lambda kernel: kernel,
    forward=_product,
    image_gradient=lambda x, kernel, gy: gy @ kernel.t(),
    weight_gradients=_product_gradients,
)
