"""One optimiser step with PyTorch's autograd; a GPU replays it, see `replayed_step`."""

import contextlib
from typing import Any

import torch
from keras import ops

from keras_cvae.backend import replay, weight_gradients
from keras_cvae.backend.exchange import average, share_variables
from keras_cvae.backend.replayed_step import step_of
from keras_cvae.backend.tensor import Tensor
from keras_cvae.backend.train_step import unpack_batch


def train_step(model: Any, data: Any) -> dict:
    """One optimiser step on a batch; see `backend_steps`."""
    inputs = replay.on_device(unpack_batch(data), model.beta.value.device)
    # A process that has sampled something by itself, as in a callback, has another state.
    share_variables([model.rng.state])
    # Sampled here: what a GPU replays has one branch, and seeds no generator.
    inputs = {"coin": bool(model.toss_coin()), **inputs}
    eps = inputs.get("eps")
    inputs["eps"] = model.sample_noise(inputs) if eps is None else ops.convert_to_tensor(eps)
    return step_of(model, _gradients, _update)(inputs)


def _gradients(model: Any, inputs: dict[str, Tensor]) -> tuple[Tensor, dict, list]:
    """The loss of a batch, its terms, and the gradients of the trainable weights."""
    variables = list(model.trainable_weights)
    with _collected(model, inputs, variables) as collected:
        loss, terms = model.negative_elbo(inputs, training=True)
        scaled = model.optimizer.scale_loss(loss)
        if collected is not None:
            gradients = collected.gradients(scaled)
        else:
            weights = [variable.value for variable in variables]
            gradients = list(torch.autograd.grad(scaled, weights, allow_unused=True))
    return loss.detach(), {name: term.detach() for name, term in terms.items()}, gradients


def _collected(model: Any, inputs: dict[str, Tensor], variables: list) -> Any:
    # On a CPU small operations cost little, and with `rematerialise` nothing is to be kept.
    if model.rematerialise or not replay.replays(inputs["eps"]):
        return contextlib.nullcontext()
    return weight_gradients.collected(variables)


@torch.no_grad()
def _update(
    model: Any, loss: Tensor, terms: dict[str, Tensor], gradients: list, batch_size: int
) -> dict[str, Tensor]:
    """Applies the gradients of all processes, and returns the logs."""
    average([*gradients, loss, *terms.values()])
    model.optimizer.apply(gradients, list(model.trainable_weights))
    return model.update_metrics(loss, terms, batch_size)


def test_step(model: Any, data: Any) -> dict:
    """The loss of a batch; see `backend_steps`."""
    inputs = unpack_batch(data)
    loss, terms = model.negative_elbo(inputs, training=False)
    average([loss, *terms.values()])
    return model.update_metrics(loss, terms, inputs["frames"].shape[0])
