"""A `keras.Model` whose files are whole, portable between backends, and hold its random state."""

import os

import keras
from keras import ops

from keras_cvae.files import written_whole
from keras_cvae.model.portable import portable


class PortableModel(keras.Model):
    """What `CVAE` does differently from `keras.Model` in compiling, saving and loading.

    A subclass has its `keras.random.SeedGenerator` as `self.rng` and is built when it is made.
    """

    def __init__(self, *args, **kwargs):
        super().__init__(*args, **kwargs)
        self._asked_jit_compile = "auto"
        if keras.backend.backend() == "tensorflow":
            self.jit_compile = False  # also where it is never compiled; see `compile`

    def compile(self, optimizer="adam", loss=None, metrics=None, jit_compile="auto", **kwargs):
        """Configures training.

        Args:
            optimizer: a Keras optimiser or its name.
            loss, metrics: must be `None`; the loss is the negative ELBO, and loss, MSE and KL are
                reported.
            jit_compile: as in Keras, but `"auto"` means no XLA on TensorFlow, where compiling the
                unrolled clip takes minutes and pays for itself nowhere that was measured.
            **kwargs: passed to `keras.Model.compile`.

        Raises:
            ValueError: if a loss or metrics are given.
        """
        if loss is not None or metrics is not None:
            raise ValueError(
                "CVAE has its own loss (the negative ELBO) and metrics (mse, kl): compile it with "
                f"an optimiser alone; got loss={loss!r}, metrics={metrics!r}."
            )
        self._asked_jit_compile = jit_compile
        if jit_compile == "auto" and keras.backend.backend() == "tensorflow":
            jit_compile = False
        super().compile(optimizer=optimizer, jit_compile=jit_compile, **kwargs)
        # Its variables made inside the first step, TensorFlow would trace that step twice.
        if self.optimizer is not None:
            self.optimizer.build(self.trainable_variables)

    def get_compile_config(self):
        config = portable(super().get_compile_config())
        if config:
            config["jit_compile"] = self._asked_jit_compile  # each backend has its own "auto"
        return config

    def compile_from_config(self, config):
        self.compile(**keras.saving.deserialize_keras_object(portable(config)))

    def save(self, filepath, overwrite=True, zipped=None, **kwargs):
        """Saves the model as Keras does, but a `.keras` file is written whole or not at all."""
        filepath = os.fspath(filepath)
        if not filepath.endswith(".keras") or zipped is False or not overwrite:
            return super().save(filepath, overwrite=overwrite, zipped=zipped, **kwargs)
        with written_whole(filepath) as partial:
            return super().save(partial, zipped=zipped, **kwargs)

    def save_own_variables(self, store):
        super().save_own_variables(store)
        store["rng_state"] = ops.convert_to_numpy(self.rng.state)

    def load_own_variables(self, store):
        own = {key: store[key] for key in store.keys()}  # noqa: SIM118 (Keras' store has no iterator)
        self.rng.state.assign(own.pop("rng_state"))
        super().load_own_variables(own)
