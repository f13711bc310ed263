"""One optimiser step with PyTorch's autograd."""

from typing import Any

import torch

from keras_cvae.backend.exchange import average, share_variables
from keras_cvae.backend.train_step import unpack_batch


def train_step(model: Any, data: Any) -> dict:
    """One optimiser step on a batch; see `backend_steps`."""
    inputs = unpack_batch(data)
    # A process that has sampled something by itself, as in a callback, has another state.
    share_variables([model.rng.state])
    model.zero_grad()  # of torch.nn.Module: clears the gradients of the step before
    loss, terms = model.negative_elbo(inputs, training=True)
    model.optimizer.scale_loss(loss).backward()
    trainable = list(model.trainable_weights)
    gradients = [variable.value.grad for variable in trainable]
    with torch.no_grad():
        average([*gradients, loss, *terms.values()])
        model.optimizer.apply(gradients, trainable)
        return model.update_metrics(loss.detach(), terms, inputs["frames"].shape[0])


def test_step(model: Any, data: Any) -> dict:
    """The loss of a batch; see `backend_steps`."""
    inputs = unpack_batch(data)
    loss, terms = model.negative_elbo(inputs, training=False)
    average([loss, *terms.values()])
    return model.update_metrics(loss, terms, inputs["frames"].shape[0])
