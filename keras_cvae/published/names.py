"""Names and layouts of the published model's weights, and the variables of a `lab` model."""

from collections.abc import Iterator
from typing import Any

import numpy as np
from keras import ops

from keras_cvae.model.cvae import CVAE

Variables = Iterator[tuple[str, Any]]  # (published key, Keras variable)

BATCHES = "label_transformation.2.num_batches_tracked"  # PyTorch counts them; nobody reads it

# Attributes of our blocks, and their names in the published code.
_RESIDUAL = {"conv1": "conv1", "conv2": "conv2", "skip": "skip"}
_DEPTHWISE = {
    "expand": "block.0.conv1.0",
    "depthwise": "block.0.depth_conv",
    "project": "block.0.conv2",
    "skip": "block.0.adaptor",
    "ffn_in": "block.1.conv",
    "ffn_out": "block.1.conv_out",
}


def lab_variables(model: CVAE) -> Variables:
    """The keys of the published state dict, each with the variable of a `lab` model.

    Args:
        model: of the `lab` architecture.

    Yields:
        `(key, variable)`, once for every variable of the networks.
    """
    networks = model.architecture
    yield from _convolution("label_transformation.1", networks.pose_conv.weights)
    norm = networks.pose_norm
    for key, variable in (
        ("weight", norm.gamma),
        ("bias", norm.beta),
        ("running_mean", norm.moving_mean),
        ("running_var", norm.moving_variance),
    ):
        yield f"label_transformation.2.{key}", variable
    yield from _block("label_transformation.4", networks.pose_residual)
    for name, network, activation in (
        ("frame_transformation", networks.frame_encoder, None),
        ("Gaussian_Predictor", networks.posterior_predictor, 5),  # of slope 1: left out here
        ("Decoder_Fusion", networks.decoder_fusion, None),
        ("Generator", networks.generator, None),
    ):
        indices = [i for i in range(len(network.blocks) + 1) if i != activation]
        for index, block in zip(indices, network.blocks, strict=False):
            yield from _block(f"{name}.{index}", block)


def to_keras(key: str, array: np.ndarray, shape: tuple[int, ...]) -> np.ndarray:
    """A published weight in the layout of the Keras variable.

    Args:
        key: its published name.
        array: kernels are (out, in, h, w), depthwise ones (channels, 1, h, w).
        shape: of the variable.

    Returns:
        Array of that shape.
    """
    if array.ndim == 4:
        array = array.transpose((2, 3, 0, 1) if _is_depthwise(key) else (2, 3, 1, 0))
    return array.reshape(shape)  # a 1 x 1 kernel is a matrix here


def to_published(key: str, variable: Any) -> np.ndarray:
    """The value of a Keras variable in the published layout, the inverse of `to_keras`.

    Args:
        key: its published name.
        variable: the Keras variable.

    Returns:
        float32 array.
    """
    array = ops.convert_to_numpy(variable)
    if array.ndim == 2:
        array = array[None, None]
    if array.ndim == 4:
        array = array.transpose((2, 3, 0, 1) if _is_depthwise(key) else (3, 2, 0, 1))
    return np.ascontiguousarray(array, "float32")


def _block(prefix: str, block: Any) -> Variables:
    if hasattr(block, "conv"):
        yield from _convolution(prefix, block.conv)
        return
    names = _DEPTHWISE if hasattr(block, "depthwise") else _RESIDUAL
    for ours, theirs in names.items():
        weights = getattr(block, ours)
        if weights is not None:  # no skip convolution between equal widths
            yield from _convolution(f"{prefix}.{theirs}", weights)


def _convolution(prefix: str, weights: Any) -> Variables:
    kernel, bias = weights
    yield f"{prefix}.weight", kernel
    yield f"{prefix}.bias", bias


def _is_depthwise(key: str) -> bool:
    return ".depth_conv." in key
