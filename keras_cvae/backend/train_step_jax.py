"""One optimiser step as a pure function of the model's state, for `jax.jit`."""

from collections.abc import Sequence
from typing import Any

import jax
from keras import StatelessScope

from keras_cvae.backend.tensor import Tensor
from keras_cvae.backend.train_step import unpack_batch


def train_step(model: Any, state: tuple, data: Any) -> tuple[dict, tuple]:
    """One optimiser step on a batch; see `backend_steps`."""
    trainable, non_trainable, optimizer_variables, metrics = state
    inputs = unpack_batch(data)

    def scaled_loss(trainable: Sequence[Tensor]) -> tuple[Tensor, tuple]:
        mapping = [
            *zip(model.trainable_variables, trainable, strict=True),
            *zip(model.non_trainable_variables, non_trainable, strict=True),
            *zip(model.optimizer.variables, optimizer_variables, strict=True),
        ]
        with StatelessScope(state_mapping=mapping) as scope:
            loss, terms = model.negative_elbo(inputs, training=True)
            scaled = model.optimizer.scale_loss(loss)
        updated = _values(scope, model.non_trainable_variables, non_trainable)
        return scaled, (loss, terms, updated)

    gradient = jax.grad(scaled_loss, has_aux=True)
    gradients, (loss, terms, non_trainable) = gradient(trainable)
    trainable, optimizer_variables = model.optimizer.stateless_apply(
        optimizer_variables, gradients, trainable
    )
    logs, metrics = _updated_metrics(model, metrics, loss, terms, inputs)
    return logs, (trainable, non_trainable, optimizer_variables, metrics)


def test_step(model: Any, state: tuple, data: Any) -> tuple[dict, tuple]:
    """The loss of a batch; see `backend_steps`."""
    trainable, non_trainable, metrics = state
    inputs = unpack_batch(data)
    mapping = [
        *zip(model.trainable_variables, trainable, strict=True),
        *zip(model.non_trainable_variables, non_trainable, strict=True),
    ]
    with StatelessScope(state_mapping=mapping) as scope:
        loss, terms = model.negative_elbo(inputs, training=False)
    non_trainable = _values(scope, model.non_trainable_variables, non_trainable)
    logs, metrics = _updated_metrics(model, metrics, loss, terms, inputs)
    return logs, (trainable, non_trainable, metrics)


def _updated_metrics(
    model: Any, metrics: Sequence, loss: Tensor, terms: Any, inputs: dict[str, Tensor]
) -> tuple[dict, list]:
    mapping = list(zip(model.metrics_variables, metrics, strict=True))
    with StatelessScope(state_mapping=mapping) as scope:
        logs = model.update_metrics(loss, terms, inputs["frames"].shape[0])
    return logs, _values(scope, model.metrics_variables, metrics)


def _values(scope: StatelessScope, variables: Sequence, values: Sequence) -> list:
    """The variables' values after a scope; those that it did not change are the given ones."""
    updated = (scope.get_current_value(variable) for variable in variables)
    return [old if new is None else new for new, old in zip(updated, values, strict=True)]
