"""The training step of a model as CUDA graphs, one for each shape of a batch and each branch."""

from collections.abc import Callable
from typing import Any

import keras
import torch
from keras.optimizers.schedules import LearningRateSchedule

from keras_cvae.backend import replay
from keras_cvae.backend.keras_private import learning_rate_of
from keras_cvae.backend.process import torch_group
from keras_cvae.backend.tensor import Tensor

KINDS_KEPT = 8  # two branches for each shape of a batch

Step = Callable[[dict[str, Tensor]], dict[str, Tensor]]


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
    recorded. Forward and backward pass are in the graph, and the update too, unless it depends on
    values in Python. Several processes exchange nothing inside a graph: there the update stays
    outside, and a loss that exchanges statistics is not recorded.

    Args:
        model: a compiled `CVAE`.
        gradients: function of the model and inputs: loss, terms, list of gradients.
        update: function of the model, these three and the batch size that applies the gradients and
            returns the logs.
    """

    def __init__(self, model: Any, gradients: Callable, update: Callable):
        self._model, self._gradients, self._update = model, gradients, update
        # By branch and shape: makes a step by a graph; `None` after the first, which had none.
        self._kinds: dict[tuple, Step | None] = {}
        self._state: tuple = ()  # of optimiser and weights, which graphs keep
        self._alive: tuple = ()  # what the state names by `id`, so that nothing else gets it
        self._pool: Any = None
        self._asked = model.asked_jit_compile == "auto" and not model.run_eagerly
        self._whole = True  # the update too, as far as is known

    def __call__(self, inputs: dict[str, Any]) -> dict[str, Tensor]:
        """Makes a step.

        Args:
            inputs: `"frames"`, `"poses"` and `"eps"`, tensors, and `"coin"`, a bool.

        Returns:
            The logs.
        """
        if not (self._asked and replay.replays(inputs["eps"])):
            return self._step(inputs)
        with replay.LOCK:
            return self._on_gpu(inputs)

    def _step(self, inputs: dict[str, Any]) -> dict[str, Tensor]:
        gradients = self._gradients(self._model, inputs)
        return self._update(self._model, *gradients, len(inputs["frames"]))

    def _on_gpu(self, inputs: dict[str, Any]) -> dict[str, Tensor]:
        self._check_state()
        tensors = {name: torch.as_tensor(x) for name, x in inputs.items() if name != "coin"}
        kind = (inputs["coin"], *((name, x.shape, x.dtype) for name, x in tensors.items()))
        if kind not in self._kinds:
            if len(self._kinds) < KINDS_KEPT:
                self._drop_graphs()
                self._kinds[kind] = None
            return replay.warm_up(self._first_step, inputs)
        step = self._kinds[kind] or self._recorded(inputs["coin"], tensors)
        if step is None:
            return self._step(inputs)
        self._kinds[kind] = step
        return step(tensors)

    def _check_state(self) -> None:
        """Begins anew if something changed that graphs keep and no tensor holds."""
        optimizer, weights = self._model.optimizer, self._model.trainable_weights
        rate = learning_rate_of(optimizer)
        # A weight's address changes if the model is moved to another device and back.
        places = ((id(weight), weight.value.data_ptr()) for weight in weights)
        state = (_numbers(optimizer), id(rate), *places)
        if state != self._state:
            self._drop_graphs()
            self._kinds.clear()
            self._state, self._alive = state, (rate, *weights)

    def _drop_graphs(self) -> None:
        """Frees the memory of the graphs, for a step beside them; they are recorded again."""
        if self._pool is not None:
            replay.wait()
        self._kinds = dict.fromkeys(self._kinds)
        self._pool = None

    def _first_step(self, inputs: dict[str, Any]) -> dict[str, Tensor]:
        gradients = self._gradients(self._model, inputs)
        with replay.ValuesRead() as read:
            logs = self._update(self._model, *gradients, len(inputs["frames"]))
        self._whole = self._whole and not read.any
        return logs

    def _recorded(self, coin: bool, tensors: dict[str, Tensor]) -> Step | None:
        """A step by a graph; `None` if there is none, which a line has said."""

        def inputs(*values: Tensor) -> dict[str, Any]:
            return {"coin": coin, **dict(zip(tensors, values, strict=True))}

        def whole(*values: Tensor) -> dict[str, Tensor]:
            return self._step(inputs(*values))

        def gradients(*values: Tensor) -> tuple:
            return self._gradients(self._model, inputs(*values))

        alone = torch_group() is None
        fixed = alone and self._whole and _update_is_fixed(self._model.optimizer)
        why = ""
        for function in [whole, gradients] if fixed else [gradients]:
            self._pool = self._pool or replay.shared_pool()
            try:
                replayed = replay.Replayed(function, list(tensors.values()), self._pool)
            except Exception as error:  # of an optimiser of the user's, perhaps
                why = why or replay.reason(error)
                self._whole = False
                self._drop_graphs()  # the memory of a failed recording cannot be used
            else:
                return self._by_whole(replayed) if function is whole else self._by_parts(replayed)
        replay.say_not_recorded("the training step", why)
        self._asked = False
        return None

    def _by_whole(self, replayed: replay.Replayed) -> Step:
        def step(tensors: dict[str, Tensor]) -> dict[str, Tensor]:
            logs = replayed(*tensors.values())
            return {name: value.clone() for name, value in logs.items()}

        return step

    def _by_parts(self, replayed: replay.Replayed) -> Step:
        def step(tensors: dict[str, Tensor]) -> dict[str, Tensor]:
            gradients = replayed(*tensors.values())
            return self._update(self._model, *gradients, len(tensors["frames"]))

        return step


def _update_is_fixed(optimizer: Any) -> bool:
    """Whether an optimiser makes the same operations in each step, as far as it says so."""
    chooses = (
        getattr(optimizer, "inner_optimizer", None)  # of a LossScaleOptimizer
        or getattr(optimizer, "optimizers", None)  # of a MultiOptimizer
        or optimizer.gradient_accumulation_steps
        or optimizer.ema_overwrite_frequency
    )
    rate = learning_rate_of(optimizer)
    # Keras' schedules are functions of the number of steps; the user's may be of anything.
    known = isinstance(rate, LearningRateSchedule) and type(rate).__module__.startswith("keras.")
    return not chooses and (known or isinstance(rate, keras.Variable))


def _numbers(optimizer: Any) -> tuple:
    """The plain numbers of an optimiser, such as its weight decay, which a graph keeps."""
    return tuple(
        (name, value) for name, value in vars(optimizer).items() if isinstance(value, int | float)
    )
