"""Gradients of the weights of convolutions for several frames together, on PyTorch.

A network that goes through a clip frame by frame uses each weight once per frame. Autograd computes
a gradient of the weight for each use and adds them up, in operations so small that a GPU takes
longer to launch them than to compute them. Here the backward pass computes the gradients of images
alone and keeps what those of the weights are made from; for some frames together each of them is
one operation. A weight's cast to another type and its layout are computed once per step, too.
"""

import contextlib
from collections.abc import Callable, Iterator, Sequence
from typing import Any, NamedTuple

import torch
from torch.autograd.function import once_differentiable

from keras_cvae.backend.tensor import Tensor

# Uses of a weight whose gradient is one operation. Their images are kept until then.
TOGETHER = 5


class Convolution(NamedTuple):
    """A kind of convolution of images (n, H, W, i) to (n, H, W, o).

    Args:
        lay_out: function of a kernel: the weight that the other functions take.
        forward: function of images, weight and bias: the output.
        image_gradient: function of images, weight and the output's gradient: that of the images.
        weight_gradients: likewise: those of the kernel, not laid out, and of the bias.
    """

    lay_out: Callable[[Tensor], Tensor]
    forward: Callable[[Tensor, Tensor, Tensor], Tensor]
    image_gradient: Callable[[Tensor, Tensor, Tensor], Tensor]
    weight_gradients: Callable[[Tensor, Tensor, Tensor], tuple[Tensor, Tensor]]


class WeightGradients:
    """Collects the gradients of weights during one step.

    Args:
        variables: the trainable Keras variables.
    """

    def __init__(self, variables: Sequence[Any]):
        self._variables = list(variables)
        # Read outside of layers of lower precision, where a variable's value is a copy.
        self._values = {id(variable): variable.value for variable in variables}
        self.collects = False
        self._laid_out: dict[tuple, tuple[Tensor, Tensor]] = {}
        self._left: dict[tuple, int] = {}  # uses whose backward pass is to come
        self._uses: dict[tuple, list[tuple[Convolution, Tensor, Tensor, Tensor]]] = {}
        self._found: dict[int, Tensor] = {}

    def knows(self, weights: Sequence[Any]) -> bool:
        """Whether the gradients of these weights are collected.

        Args:
            weights: Keras variables, or tensors, whose gradients are not.
        """
        return all(id(each) in self._values for each in weights)

    def convolve(self, kind: Convolution, x: Tensor, weights: Sequence[Any]) -> Tensor:
        """A convolution whose gradients of the weights are collected.

        Args:
            kind: of the convolution.
            x: (n, H, W, i) images.
            weights: the Keras variables of kernel and bias.

        Returns:
            (n, H, W, o).
        """
        names = tuple(map(id, weights))
        self._left[names] = self._left.get(names, 0) + 1
        values = [self._values[name] for name in names]
        if (names, x.dtype) not in self._laid_out:
            with torch.no_grad():
                kernel, bias = (each.to(x.dtype) for each in values)
                self._laid_out[names, x.dtype] = kind.lay_out(kernel), bias
        return _Collected.apply(x, *values, *self._laid_out[names, x.dtype], kind, names, self)

    def use(self, kind: Convolution, names: tuple, x: Tensor, weight: Tensor, gy: Tensor) -> None:
        """Takes what the gradients of one use of a weight are made from.

        Args:
            kind: of the convolution.
            names: the `id` of the variables of kernel and bias.
            x: (n, H, W, i) images.
            weight: the kernel, laid out.
            gy: (n, H, W, o), the gradient of the output.
        """
        uses = self._uses.setdefault(names, [])
        if uses and uses[0][2].shape[1:] != x.shape[1:]:  # images of another size
            self._compute(names)
            uses = self._uses.setdefault(names, [])
        uses.append((kind, weight, x.detach(), gy))
        self._left[names] -= 1
        if len(uses) == TOGETHER or self._left[names] == 0:
            self._compute(names)

    def gradients(self, loss: Tensor) -> list[Tensor | None]:
        """The gradients of the variables: those collected and those that autograd finds.

        Args:
            loss: a scalar; it was computed in the block of `collected`.

        Returns:
            list, `None` for a variable that the loss does not depend on.
        """
        self.collects = True  # no other backward pass does, as that of a penalty in the loss
        values = [self._values[id(variable)] for variable in self._variables]
        gradients = torch.autograd.grad(loss, values, allow_unused=True)
        for names in list(self._uses):  # with uses that the loss does not depend on
            self._compute(names)
        found = [self._found.get(id(variable)) for variable in self._variables]
        return [
            mine if other is None else other if mine is None else mine + other
            for mine, other in zip(found, gradients, strict=True)
        ]

    def _compute(self, names: tuple) -> None:
        uses = self._uses.pop(names)
        kind, weight, x, gy = uses[0]
        if len(uses) > 1:
            x, gy = (torch.cat([use[number] for use in uses]) for number in (2, 3))
        for name, gradient in zip(names, kind.weight_gradients(x, weight, gy), strict=True):
            gradient = gradient.to(self._values[name].dtype)
            found = self._found.get(name)
            self._found[name] = gradient if found is None else found + gradient


_now: WeightGradients | None = None  # where gradients are collected


def collecting(weights: Sequence[Any]) -> WeightGradients | None:
    """Where the gradients of these weights are collected now.

    Args:
        weights: Keras variables or tensors.

    Returns:
        `WeightGradients`, or `None` where autograd computes them.
    """
    if _now is None or not torch.is_grad_enabled() or not _now.knows(weights):
        return None
    return _now


@contextlib.contextmanager
def collected(variables: Sequence[Any]) -> Iterator[WeightGradients]:
    """Collects the gradients of convolutions' weights in a block.

    Args:
        variables: the trainable Keras variables.

    Yields:
        `WeightGradients`, which gives them all.
    """
    global _now
    _now = WeightGradients(variables)
    try:
        yield _now
    finally:
        _now = None


class _Collected(torch.autograd.Function):
    """A convolution whose backward pass computes the gradient of the images alone."""

    @staticmethod
    def forward(
        ctx: Any,
        x: Tensor,
        kernel: Tensor,
        bias: Tensor,
        weight: Tensor,
        cast_bias: Tensor,
        kind: Convolution,
        names: tuple,
        collector: WeightGradients,
    ) -> Tensor:
        # `kernel` and `bias` are given so that the output has a gradient where `x` has none.
        ctx.save_for_backward(x, weight)
        ctx.kind, ctx.names, ctx.collector = kind, names, collector
        return kind.forward(x, weight, cast_bias)

    @staticmethod
    @once_differentiable
    def backward(ctx: Any, gy: Tensor) -> tuple:
        x, weight = ctx.saved_tensors
        gx = ctx.kind.image_gradient(x, weight, gy) if ctx.needs_input_grad[0] else None
        found: tuple = (None, None)
        if ctx.collector.collects:
            ctx.collector.use(ctx.kind, ctx.names, x, weight, gy)
        else:  # autograd casts them to the types of kernel and bias
            found = ctx.kind.weight_gradients(x, weight, gy)
        return gx, *found, *([None] * 5)
