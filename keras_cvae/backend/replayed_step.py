"""The training step of a model as CUDA graphs, one for each shape of a batch and each branch."""

from collections.abc import Callable
from typing import Any

import keras
import torch
from keras.optimizers.schedules import LearningRateSchedule

from keras_cvae.backend import replay
from keras_cvae.backend.keras_private import learning_rate_of
from keras_cvae.backend.process import process, torch_group
from keras_cvae.backend.tensor import Tensor
from keras_cvae.errors import first_line

KINDS_KEPT = 8  # two branches for each shape of a batch


def step_of(model: Any, gradients: Callable, update: Callable) -> Callable[[dict], dict]:
    """The step of a model as it is compiled now.

    Args:
        model, gradients, update: see `ReplayedStep`.

    Returns:
        function of the inputs that makes a step and returns the logs.
    """
    # No state of the model's, so that Keras need not track it. `compile` removes it.
    if "_replayed_step" not in model.__dict__:
        model.__dict__["_replayed_step"] = ReplayedStep(model, gradients, update)
    return model.__dict__["_replayed_step"]


class ReplayedStep:
    """A training step that a CUDA GPU replays; elsewhere it runs operation by operation.

    The first step of a kind runs operation by operation, which initialises libraries, the second is
    recorded. Forward and backward pass are in the graph, and the update too, unless the optimiser
    chooses by a value. Several processes exchange nothing inside a graph: there the update stays
    outside, and a loss that exchanges statistics is not recorded.

    Args:
        model: a compiled `CVAE`.
        gradients: function of the model and inputs: loss, terms, list of gradients.
        update: function of the model, these three and the batch size that applies the gradients and
            returns the logs.
    """

    def __init__(self, model: Any, gradients: Callable, update: Callable):
        self._model, self._gradients, self._update = model, gradients, update
        # By kind: how to make a step of it; `None` after its first.
        self._recorded: dict[tuple, Callable[[dict], dict] | None] = {}
        self._pool: Any = None
        self._asked = model.asked_jit_compile == "auto" and not model.run_eagerly

    def __call__(self, inputs: dict[str, Any]) -> dict[str, Tensor]:
        """Makes a step.

        Args:
            inputs: `"frames"`, `"poses"` and `"eps"`, tensors, and `"coin"`, a bool.

        Returns:
            The logs.
        """
        if not (self._asked and replay.replays(inputs["eps"])):
            return self._step(inputs)
        tensors = {name: torch.as_tensor(x) for name, x in inputs.items() if name != "coin"}
        kind = (
            inputs["coin"],
            id(learning_rate_of(self._model.optimizer)),
            *map(id, self._model.trainable_weights),
            *((name, x.shape, x.dtype) for name, x in tensors.items()),
        )
        if kind not in self._recorded:
            logs = replay.warm_up(self._step, inputs)
            if len(self._recorded) < KINDS_KEPT:
                self._recorded[kind] = None
            return logs
        with replay.LOCK:
            step = self._recorded[kind]
            if step is None:
                step = self._recorded[kind] = self._record(inputs["coin"], tensors)
            return step(tensors)

    def _step(self, inputs: dict[str, Any]) -> dict[str, Tensor]:
        gradients = self._gradients(self._model, inputs)
        return self._update(self._model, *gradients, len(inputs["frames"]))

    def _record(self, coin: bool, tensors: dict[str, Tensor]) -> Callable[[dict], dict]:
        def inputs(*values: Tensor) -> dict[str, Any]:
            return {"coin": coin, **dict(zip(tensors, values, strict=True))}

        def whole(*values: Tensor) -> dict[str, Tensor]:
            return self._step(inputs(*values))

        def gradients(*values: Tensor) -> tuple:
            return self._gradients(self._model, inputs(*values))

        self._pool = self._pool or replay.shared_pool()
        example = list(tensors.values())
        failure = None
        if torch_group() is None and _update_is_fixed(self._model.optimizer):
            try:
                replayed = replay.Replayed(whole, example, self._pool)
            except Exception as error:  # of an optimiser of the user's, perhaps
                failure = f"{type(error).__name__}: {first_line(error)}"
                self._pool = replay.shared_pool()  # that of the failed recording is not usable
            else:
                return lambda tensors: {
                    name: value.clone() for name, value in replayed(*tensors.values()).items()
                }
        try:
            replayed = replay.Replayed(gradients, example, self._pool)
        except Exception as error:
            if process().first:
                print(
                    "the training step is not recorded as a CUDA graph, and runs slower: "
                    f"{failure or f'{type(error).__name__}: {first_line(error)}'}",
                    flush=True,
                )
            self._asked = False
            return lambda tensors: self._step({"coin": coin, **tensors})
        return lambda tensors: self._update(
            self._model, *replayed(*tensors.values()), len(tensors["frames"])
        )


def _update_is_fixed(optimizer: Any) -> bool:
    """Whether an optimiser makes the same operations in each step."""
    chooses = (
        getattr(optimizer, "inner_optimizer", None)  # of a LossScaleOptimizer
        or optimizer.gradient_accumulation_steps
        or optimizer.ema_overwrite_frequency
    )
    rate = learning_rate_of(optimizer)  # or a function of the user's, which is called in each step
    return not chooses and isinstance(rate, keras.Variable | LearningRateSchedule)
