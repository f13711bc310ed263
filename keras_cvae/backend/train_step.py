"""The train step and test step of each backend, and the choice between them."""

import importlib
from types import ModuleType
from typing import Any

import keras

from keras_cvae.backend.choice import BACKENDS
from keras_cvae.backend.tensor import Tensor
from keras_cvae.errors import UserError


def backend_steps() -> ModuleType:
    """The module with the steps of the backend that Keras runs on.

    Returns:
        A module with `train_step(model, *arguments)` and `test_step(model, *arguments)`; the
        arguments are what Keras passes to the model's methods of that name: `data`, or on JAX
        `state, data`. They call `model.negative_elbo(inputs, training)` and
        `model.update_metrics(loss, terms, batch_size)`.

    Raises:
        UserError: for a backend other than torch, tensorflow and jax.
    """
    backend = keras.backend.backend()
    if backend not in BACKENDS:
        raise UserError(
            f"keras_cvae trains on the Keras backends {', '.join(BACKENDS)}; got {backend!r}. "
            "Set KERAS_BACKEND to one of them before Keras is imported."
        )
    return importlib.import_module(f"keras_cvae.backend.train_step_{backend}")


def unpack_batch(data: Any) -> dict[str, Tensor]:
    """The inputs of a batch that Keras passes to a step.

    Args:
        data: `({"frames", "poses"},)`, two (B, T, H, W, 3) tensors.

    Returns:
        dict of `"frames"` and `"poses"`.

    Raises:
        UserError: if there are targets or sample weights.
    """
    inputs, targets, weights = keras.utils.unpack_x_y_sample_weight(data)
    if targets is not None or weights is not None:
        raise UserError(
            "CVAE predicts the frames of its input: a batch is ({'frames', 'poses'},), without "
            "targets or sample weights."
        )
    return inputs
