"""The training step of a model as CUDA graphs, one for each shape of a batch and each branch."""

from collections.abc import Callable
from typing import Any

import torch

from keras_cvae.backend import replay
from keras_cvae.backend.process import torch_group
from keras_cvae.backend.tensor import Tensor
from keras_cvae.errors import first_line

KINDS_KEPT = 8  # two branches for each shape of a batch


def step_of(model: Any, gradients: Callable, update: Callable) -> Callable[[dict], dict]:
    """The step of a model as it is compiled now; see `ReplayedStep`."""
    step = model.__dict__.get("_replayed_step")
    if step is None or step.optimizer is not model.optimizer:
        step = ReplayedStep(model, gradients, update)
        model.__dict__["_replayed_step"] = step  # no state of the model's: Keras need not track it
    return step


class ReplayedStep:
    """A training step that a CUDA GPU replays; elsewhere it runs operation by operation.

    The first step of a kind runs operation by operation, which initialises libraries, the second is
    recorded. Forward and backward pass are in the graph, and the update too, unless the optimiser
    chooses by a value. With several processes, which wait for each other, nothing is recorded.

    Args:
        model: a compiled `CVAE`.
        gradients: function of the model and inputs: loss, terms, list of gradients.
        update: function of the model, these three and the batch size that applies the gradients and
            returns the logs.
    """

    def __init__(self, model: Any, gradients: Callable, update: Callable):
        self.optimizer = model.optimizer
        self._model, self._gradients, self._update = model, gradients, update
        # By kind: how to make a step of it; `None` after its first.
        self._recorded: dict[tuple, Callable[[dict], dict] | None] = {}
        self._pool: Any = None
        asked = model.asked_jit_compile == "auto" and not model.run_eagerly
        self._asked = asked and torch_group() is None

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
            *map(id, self._model.trainable_weights),
            *((name, x.shape, x.dtype) for name, x in tensors.items()),
        )
        if kind not in self._recorded:
            if len(self._recorded) < KINDS_KEPT:
                self._recorded[kind] = None
            return replay.warm_up(self._step, inputs)
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
        if _update_is_fixed(self.optimizer):
            try:
                replayed = replay.Replayed(whole, example, self._pool)
            except Exception as error:  # of an optimiser of the user's, perhaps
                failure = error
            else:
                return lambda tensors: {
                    name: value.clone() for name, value in replayed(*tensors.values()).items()
                }
        try:
            replayed = replay.Replayed(gradients, example, self._pool)
        except Exception as error:
            print(
                "the training step is not recorded as a CUDA graph, and runs slower: "
                f"{type(error).__name__}: {first_line(failure or error)}",
                flush=True,
            )
            self._asked = False
            return lambda tensors: self._step({"coin": coin, **tensors})
        return lambda tensors: self._update(
            self._model, *replayed(*tensors.values()), len(tensors["frames"])
        )


def _update_is_fixed(optimizer: Any) -> bool:
    """Whether an optimiser makes the same operations in each step."""
    return not (
        getattr(optimizer, "inner_optimizer", None)  # of a LossScaleOptimizer
        or optimizer.gradient_accumulation_steps
        or optimizer.ema_overwrite_frequency
    )
