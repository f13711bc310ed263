"""A `keras.Model` whose input is checked and whose files are whole and portable."""

import contextlib
import os
from typing import Any

import keras
from keras import ops

from keras_cvae.backend.exchange import check_started, share_variables, wait
from keras_cvae.backend.jax_state import KeepsState
from keras_cvae.backend.jit import jit_compile_for, set_jit_compile
from keras_cvae.backend.keras_private import TORCH_OPTIMIZERS
from keras_cvae.backend.process import process
from keras_cvae.errors import UserError
from keras_cvae.files import written_whole
from keras_cvae.model.inputs import check_shared, checked


class PortableModel(KeepsState):
    """What `CVAE` does differently from `keras.Model` around its networks.

    Its files hold its random state too and load on every backend. Its methods check their input,
    see `keras_cvae.model.inputs.checked`. Where several processes train together they begin with
    the first one's weights, and the first alone prints and writes files.

    A subclass has its `keras.random.SeedGenerator` as `self.rng` and is built when it is made.
    """

    def __init__(self, *args: Any, **kwargs: Any):
        super().__init__(*args, **kwargs)
        self.asked_jit_compile: bool | str = "auto"
        set_jit_compile(self)

    def compile(
        self,
        optimizer: Any = "adam",
        loss: None = None,
        metrics: None = None,
        jit_compile: bool | str = "auto",
        **kwargs: Any,
    ) -> None:
        """Configures training.

        Args:
            optimizer: a Keras optimiser or its name.
            loss, metrics: must be `None`; the loss is the negative ELBO, and loss, MSE and KL are
                reported.
            jit_compile: as in Keras, but `"auto"` means no XLA on TensorFlow, where compiling the
                unrolled clip takes minutes and paid nowhere that was measured; on torch with a CUDA
                GPU the step is recorded once as a CUDA graph, which `False` switches off.
            **kwargs: passed to `keras.Model.compile`.

        Raises:
            UserError: if a loss or metrics are given; or, on several devices of TensorFlow, an
                optimiser that was made outside their strategy.
        """
        if loss is not None or metrics is not None:
            raise UserError(
                "CVAE has its own loss (the negative ELBO) and metrics (mse, kl): compile it with "
                f"an optimiser alone; got loss={loss!r}, metrics={metrics!r}."
            )
        self.__dict__.pop("_replayed_step", None)
        with self._compile_scope(optimizer):
            self.asked_jit_compile = jit_compile
            super().compile(optimizer=optimizer, jit_compile=jit_compile_for(jit_compile), **kwargs)
            # Its variables made inside the first step, TensorFlow would trace that step twice.
            if self.optimizer is not None and not self.optimizer.built:
                self.optimizer.build(self.trainable_variables)

    def _compile_scope(self, optimizer: Any) -> contextlib.AbstractContextManager:
        if keras.backend.backend() != "tensorflow":
            return contextlib.nullcontext()
        from keras_cvae.backend.replicas_tensorflow import compile_scope

        return compile_scope(self, optimizer)

    def get_compile_config(self) -> dict | None:
        config = portable(super().get_compile_config())
        if config:
            config["jit_compile"] = self.asked_jit_compile  # each backend has its own "auto"
        return config

    def compile_from_config(self, config: dict) -> None:
        self.compile(**keras.saving.deserialize_keras_object(portable(config)))

    def save(
        self,
        filepath: str | os.PathLike,
        overwrite: bool = True,
        zipped: bool | None = None,
        **kwargs: Any,
    ) -> None:
        """Saves the model as Keras does, but a `.keras` file is written whole or not at all.

        Of several processes that train together only the first writes.
        """
        if not process().first:
            return None
        filepath = os.fspath(filepath)
        if not filepath.endswith(".keras") or zipped is False or not overwrite:
            return super().save(filepath, overwrite=overwrite, zipped=zipped, **kwargs)
        with written_whole(filepath) as partial:
            return super().save(partial, zipped=zipped, **kwargs)

    def save_weights(self, *args: Any, **kwargs: Any) -> None:
        """Saves the weights as Keras does; see `save`."""
        if process().first:
            super().save_weights(*args, **kwargs)

    def save_own_variables(self, store: Any) -> None:
        super().save_own_variables(store)
        store["rng_state"] = ops.convert_to_numpy(self.rng.state)

    def load_own_variables(self, store: Any) -> None:
        own = {key: store[key] for key in store.keys()}  # noqa: SIM118 (Keras' store has no iterator)
        self.rng.state.assign(own.pop("rng_state"))
        super().load_own_variables(own)

    # --- Keras' own methods, with their input checked ---

    def fit(self, x: Any = None, *args: Any, validation_data: Any = None, **kwargs: Any) -> Any:
        check_started()
        self._check_parts(x, validation_data)
        if not process().first:
            kwargs["verbose"] = 0
        validation_data = checked(validation_data)
        history = super().fit(checked(x), *args, validation_data=validation_data, **kwargs)
        wait()  # what the first process saves is there when others go on
        return history

    def evaluate(self, x: Any = None, *args: Any, **kwargs: Any) -> Any:
        self._check_parts(x)
        return super().evaluate(checked(x), *args, **kwargs)

    def predict(self, x: Any, *args: Any, **kwargs: Any) -> Any:
        self._check_parts(x)
        return super().predict(checked(x), *args, **kwargs)

    def make_train_function(self, force: bool = False) -> Any:
        """Keras' hook before training, on this process and on others the same."""
        share_variables([*self.variables, *self.optimizer.variables])
        return super().make_train_function(force)

    def train_on_batch(self, x: Any, *args: Any, **kwargs: Any) -> Any:
        self._check_single_batch()
        return super().train_on_batch(checked(x), *args, **kwargs)

    def test_on_batch(self, x: Any, *args: Any, **kwargs: Any) -> Any:
        self._check_single_batch()
        return super().test_on_batch(checked(x), *args, **kwargs)

    def predict_on_batch(self, x: Any) -> Any:
        return super().predict_on_batch(checked(x))

    def _check_parts(self, *data: Any) -> None:
        if keras.backend.backend() == "tensorflow":
            from keras_cvae.backend.replicas_tensorflow import check_mirrored, check_steps

            check_mirrored(self, getattr(self, "optimizer", None))
            check_steps(self)
        for each in data:
            check_shared(each, self)

    def _check_single_batch(self) -> None:
        if keras.backend.backend() == "tensorflow":
            from keras_cvae.backend.replicas_tensorflow import check_one_replica

            check_one_replica(self)

    def export(self, *args: Any, **kwargs: Any) -> None:
        raise UserError(
            "A CVAE is exported with keras_cvae.export(model, path, format), for example "
            "keras_cvae.export(model, 'dancer.onnx', 'onnx'): one step of prediction with its "
            "manifest, checked against Keras. Keras' own export knows no step of prediction."
        )


def portable(config: Any) -> Any:
    """Replaces Keras' torch optimisers in a serialised configuration by the public ones.

    On torch, Keras swaps an optimiser's class for one of its torch backend and writes that class
    into the `.keras` file, which then neither trains nor, without torch, loads elsewhere.

    Args:
        config: a serialised object: dicts, lists and plain values.

    Returns:
        A copy that names `keras.optimizers` instead.
    """
    if isinstance(config, dict):
        config = {key: portable(value) for key, value in config.items()}
        if str(config.get("module", "")).startswith(TORCH_OPTIMIZERS):
            config["module"] = "keras.optimizers"
            config["registered_name"] = None
        return config
    if isinstance(config, (list, tuple)):
        return [portable(value) for value in config]
    return config
