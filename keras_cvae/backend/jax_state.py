"""The state of a model on JAX, which Keras takes out of its variables while it trains."""

from typing import Any

import keras


class KeepsState(keras.Model):
    """A model that keeps its weights when training, testing or predicting fails on JAX.

    Keras 3.15 empties the variables before the first step and fills them after the last. When the
    first step fails, as for a batch that the devices cannot divide, they stay empty.
    """

    def _get_jax_state(self, *args: Any, purge_model_variables: bool = False, **kwargs: Any) -> Any:
        """Keras' hook, which takes the values and may empty the variables."""
        state = super()._get_jax_state(*args, purge_model_variables=purge_model_variables, **kwargs)
        if purge_model_variables:
            # What `jax_state_sync` fills the variables from.
            names = [name for name, asked in kwargs.items() if asked]
            self._jax_state = dict(zip(names, state, strict=True))
        return state

    def evaluate(self, *args: Any, **kwargs: Any) -> Any:
        try:
            return super().evaluate(*args, **kwargs)
        finally:
            _fill(self)

    def predict(self, *args: Any, **kwargs: Any) -> Any:
        try:
            return super().predict(*args, **kwargs)
        finally:
            _fill(self)


def _fill(model: Any) -> None:
    if keras.backend.backend() == "jax" and hasattr(model, "_jax_state_synced"):
        model.jax_state_sync()
