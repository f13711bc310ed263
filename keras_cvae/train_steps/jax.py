"""One optimiser step as a pure function of the model's state, for `jax.jit`."""

import jax
from keras import StatelessScope


class JaxSteps:
    def train_step(self, state, data):
        trainable, non_trainable, optimizer_variables, metrics = state
        inputs = self.unpack_batch(data)

        def scaled_loss(trainable):
            mapping = [
                *zip(self.trainable_variables, trainable, strict=True),
                *zip(self.non_trainable_variables, non_trainable, strict=True),
                *zip(self.optimizer.variables, optimizer_variables, strict=True),
            ]
            with StatelessScope(state_mapping=mapping) as scope:
                loss, terms = self.negative_elbo(inputs, training=True)
                scaled = self.optimizer.scale_loss(loss)
            updated = _values(scope, self.non_trainable_variables, non_trainable)
            return scaled, (loss, terms, updated)

        gradient = jax.grad(scaled_loss, has_aux=True)
        gradients, (loss, terms, non_trainable) = gradient(trainable)
        trainable, optimizer_variables = self.optimizer.stateless_apply(
            optimizer_variables, gradients, trainable
        )
        logs, metrics = self._stateless_metrics(metrics, loss, terms, inputs)
        return logs, (trainable, non_trainable, optimizer_variables, metrics)

    def test_step(self, state, data):
        trainable, non_trainable, metrics = state
        inputs = self.unpack_batch(data)
        mapping = [
            *zip(self.trainable_variables, trainable, strict=True),
            *zip(self.non_trainable_variables, non_trainable, strict=True),
        ]
        with StatelessScope(state_mapping=mapping) as scope:
            loss, terms = self.negative_elbo(inputs, training=False)
        non_trainable = _values(scope, self.non_trainable_variables, non_trainable)
        logs, metrics = self._stateless_metrics(metrics, loss, terms, inputs)
        return logs, (trainable, non_trainable, metrics)

    def _stateless_metrics(self, metrics, loss, terms, inputs):
        mapping = list(zip(self.metrics_variables, metrics, strict=True))
        with StatelessScope(state_mapping=mapping) as scope:
            logs = self.update_metrics(loss, terms, inputs["frames"].shape[0])
        return logs, _values(scope, self.metrics_variables, metrics)


def _values(scope, variables, values):
    """The variables' values after a scope, those it did not touch unchanged."""
    updated = (scope.get_current_value(variable) for variable in variables)
    return [old if new is None else new for new, old in zip(updated, values, strict=True)]
