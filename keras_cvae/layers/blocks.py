"""Convolution blocks of the `lab` architecture.

Residual and depthwise-convolution blocks with the layers and slopes of the published system. All
are channels last and keep height and width. A block holds its weights itself and calls
`keras.ops`; it has no Keras layer for each convolution. A rollout calls a block for every frame,
and on an eager backend the calls of small layers take longer than their arithmetic.
"""

import math
from collections.abc import Callable, Sequence
from typing import Any

import keras
import numpy as np
from keras import layers, ops

from keras_cvae.backend.convolutions import backend_convolutions
from keras_cvae.backend.tensor import Tensor

_convolutions = backend_convolutions()

# The convolutions at the end of a residual branch.
_BRANCH_ENDS = ("conv2", "project", "ffn_out")

Weights = tuple[Any, ...]  # kernel and bias of a convolution, two Keras variables


def conv3x3(x: Tensor, weights: Weights) -> Tensor:
    """A 3 x 3 convolution of (n, H, W, i) that keeps height and width.

    Args:
        x: (n, H, W, i).
        weights: kernel (3, 3, i, o) and bias (o,).

    Returns:
        (n, H, W, o).
    """
    return _convolutions.conv3x3(x, weights)


def pointwise(x: Tensor, weights: Weights) -> Tensor:
    """A 1 x 1 convolution.

    Args:
        x: (n, H, W, i).
        weights: kernel (i, o) and bias (o,).

    Returns:
        (n, H, W, o).
    """
    return _convolutions.pointwise(x, weights)


def depthwise3x3(x: Tensor, weights: Weights) -> Tensor:
    """A depthwise 3 x 3 convolution that keeps height and width.

    Args:
        x: (n, H, W, i).
        weights: kernel (3, 3, i, 1) and bias (i,).

    Returns:
        (n, H, W, i).
    """
    return _convolutions.depthwise3x3(x, weights)


class Block(layers.Layer):
    """A layer from images (n, H, W, in_channels) to images (n, H, W, filters).

    Args:
        in_channels: channels of the input.
        filters: channels of the output.
        initialisation: `"scaled"` or `"pytorch"`, see `conv_weights`.
        **kwargs: of `keras.layers.Layer`.
    """

    skip: Weights | None  # of the blocks with a skip connection

    def __init__(
        self, in_channels: int, filters: int, initialisation: str = "scaled", **kwargs: Any
    ):
        super().__init__(**kwargs)
        self.in_channels = in_channels
        self.filters = filters
        self.initialisation = initialisation

    def conv_weights(self, name: str, kernel_shape: tuple[int, ...], fan_in: int) -> Weights:
        """Adds a kernel and a bias.

        With the initialisation `"pytorch"` both are uniform in +-1 / sqrt(fan in), as published: a
        signal loses two thirds of its variance in each convolution. `"scaled"` keeps the variance
        (LeCun et al. 1998, section 4.6), and biases begin at 0. The kernel at the end of a residual
        branch has a tenth of the range, so that a network begins close to the chain of its skip
        connections, which copies images (after Zhang et al. 2019, arXiv:1901.09321).

        Args:
            name: of the convolution.
            kernel_shape: (3, 3, i, o), (i, o), or (3, 3, i, 1) for the name `"depthwise"`.
            fan_in: the number of inputs that one output sums over.

        Returns:
            `(kernel, bias)`.
        """
        scaled = self.initialisation == "scaled"
        limit = math.sqrt((3 if scaled else 1) / fan_in)
        if scaled and name in _BRANCH_ENDS:
            limit *= 0.1
        channels = kernel_shape[-1] if name != "depthwise" else kernel_shape[-2]
        return tuple(
            self.add_weight(
                name=f"{name}_{kind}",
                shape=shape,
                initializer="zeros" if scaled and kind == "bias" else uniform(limit),
            )
            for kind, shape in (("kernel", kernel_shape), ("bias", (channels,)))
        )

    def conv3x3_weights(self, name: str, in_channels: int, filters: int) -> Weights:
        """Adds the weights of a 3 x 3 convolution; see `conv_weights`."""
        return self.conv_weights(name, (3, 3, in_channels, filters), 9 * in_channels)

    def pointwise_weights(self, name: str, in_channels: int, filters: int) -> Weights:
        """Adds the weights of a 1 x 1 convolution; see `conv_weights`."""
        return self.conv_weights(name, (in_channels, filters), in_channels)

    def skip_weights(self) -> Weights | None:
        """Adds the weights of the skip connection: `None` where the widths are equal."""
        if self.in_channels == self.filters:
            return None
        return self.pointwise_weights("skip", self.in_channels, self.filters)

    def add_skip(self, y: Tensor, x: Tensor) -> Tensor:
        """Adds a block's input `x` to its output `y`, by a 1 x 1 convolution if widths differ."""
        return y + (x if self.skip is None else pointwise(x, self.skip))

    def compute_output_shape(self, input_shape: tuple) -> tuple:
        return (*input_shape[:-1], self.filters)

    def get_config(self) -> dict[str, Any]:
        return {
            **super().get_config(),
            "in_channels": self.in_channels,
            "filters": self.filters,
            "initialisation": self.initialisation,
        }


@keras.saving.register_keras_serializable("keras_cvae")
class Conv3x3(Block):
    """A 3 x 3 convolution; see `Block` for the arguments."""

    def build(self, input_shape: tuple | None = None) -> None:
        self.conv = self.conv3x3_weights("conv", self.in_channels, self.filters)

    def call(self, x: Tensor) -> Tensor:
        return conv3x3(x, self.conv)


@keras.saving.register_keras_serializable("keras_cvae")
class Conv1x1(Block):
    """A 1 x 1 convolution; see `Block` for the arguments."""

    def build(self, input_shape: tuple | None = None) -> None:
        self.conv = self.pointwise_weights("conv", self.in_channels, self.filters)

    def call(self, x: Tensor) -> Tensor:
        return pointwise(x, self.conv)


@keras.saving.register_keras_serializable("keras_cvae")
class ResidualBlock(Block):
    """Two 3 x 3 convolutions, each followed by LeakyReLU, added to the input.

    If the widths differ, the input goes through a 1 x 1 convolution. See `Block` for the arguments.
    """

    def build(self, input_shape: tuple | None = None) -> None:
        self.conv1 = self.conv3x3_weights("conv1", self.in_channels, self.filters)
        self.conv2 = self.conv3x3_weights("conv2", self.filters, self.filters)
        self.skip = self.skip_weights()

    def call(self, x: Tensor) -> Tensor:
        y = ops.leaky_relu(conv3x3(x, self.conv1), 0.01)
        y = ops.leaky_relu(conv3x3(y, self.conv2), 0.01)
        return self.add_skip(y, x)


@keras.saving.register_keras_serializable("keras_cvae")
class DepthConvBlock(Block):
    """A depthwise convolution block followed by a gated feed-forward block, both residual.

    DepthConv: 1 x 1 convolution, LeakyReLU, depthwise 3 x 3, 1 x 1 convolution. ConvFFN: 1 x 1
    convolution to four times the width, split into halves a and b, a * LeakyReLU(b), 1 x 1
    convolution back. See `Block` for the arguments.
    """

    def build(self, input_shape: tuple | None = None) -> None:
        i, o = self.in_channels, self.filters
        self.expand = self.pointwise_weights("expand", i, i)
        self.depthwise = self.conv_weights("depthwise", (3, 3, i, 1), 9)
        self.project = self.pointwise_weights("project", i, o)
        self.skip = self.skip_weights()
        self.ffn_in = self.pointwise_weights("ffn_in", o, 4 * o)
        self.ffn_out = self.pointwise_weights("ffn_out", 2 * o, o)

    def call(self, x: Tensor) -> Tensor:
        y = ops.leaky_relu(pointwise(x, self.expand), 0.01)
        y = pointwise(depthwise3x3(y, self.depthwise), self.project)
        x = self.add_skip(y, x)
        a, b = ops.split(pointwise(x, self.ffn_in), 2, axis=-1)
        return x + pointwise(a * ops.leaky_relu(b, 0.1), self.ffn_out)


class Chain(Block):
    """Blocks one after another: one network of an architecture.

    It is not saved by itself: the architecture builds it again.

    Args:
        in_channels: channels of the input.
        blocks: pairs `(class, filters)`: a block class and the channels of its output.
        initialisation, **kwargs: as in `Block`.
    """

    def __init__(
        self,
        in_channels: int,
        blocks: Sequence[tuple[type[Block], int]],
        initialisation: str = "scaled",
        **kwargs: Any,
    ):
        super().__init__(in_channels, blocks[-1][1], initialisation, **kwargs)
        self.blocks: list[Block] = []
        for block, filters in blocks:
            self.blocks.append(block(in_channels, filters, initialisation, dtype=self.dtype_policy))
            in_channels = filters

    def build(self, input_shape: tuple | None = None) -> None:
        for block in self.blocks:
            block.build((None, None, None, block.in_channels))

    def call(self, x: Tensor) -> Tensor:
        for block in self.blocks:
            x = block(x)
        return x


def uniform(limit: float) -> Callable[..., np.ndarray]:
    """An initialiser that samples uniformly in +-`limit`, with NumPy.

    JAX compiles Keras' own initialiser for every shape and limit, which takes most of a minute for
    one model. `keras.utils.set_random_seed` sets the seed of these samples too, and they are equal
    on every backend.

    Args:
        limit: above 0.

    Returns:
        A function (shape, dtype) -> array, as Keras calls initialisers.
    """

    def initialise(shape: tuple[int, ...], dtype: Any = None) -> np.ndarray:
        return np.random.uniform(-limit, limit, shape).astype(dtype)

    return initialise
