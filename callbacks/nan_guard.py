"""Stops training when the loss is not finite, and restores the last good weights."""

from collections.abc import Sequence
from typing import Any

import keras
import numpy as np

from keras_cvae.backend.process import process
from keras_cvae.errors import check_at_least_1


class NaNGuard(keras.callbacks.Callback):
    """Ends training at the first loss that is NaN or infinite.

    It restores the weights and the optimiser's state from the beginning of the last epoch that
    began with finite weights, and prints what happened and what to change. Keras' `TerminateOnNaN`
    keeps the broken weights.

    The last update of an epoch can break the weights although its loss is finite. Then the logged
    `loss` of the epoch becomes NaN, so that later callbacks (`TrainingState`) do not save it.

    Args:
        check_every: at least 1, the number of batches from one check of the loss to the next.
            Reading the loss waits for the device. It is always checked at the end of an epoch.

    Attributes:
        message: what happened and what to change; `None` if the loss was finite so far.

    Raises:
        UserError: if `check_every` is below 1.

    Example:

    ```python
    model.fit(clips, epochs=50, callbacks=[NaNGuard()])
    ```
    """

    def __init__(self, check_every: int = 10):
        super().__init__()
        check_at_least_1(check_every=check_every)
        self.check_every = check_every
        self.message: str | None = None
        self._good: tuple[int, list[np.ndarray]] | None = None  # epoch, values at its beginning

    def on_train_begin(self, logs: dict | None = None) -> None:
        self.message = None
        self._good = None
        if not self.model.optimizer.built:  # on TensorFlow the first step would build it
            self.model.optimizer.build(self.model.trainable_variables)

    def on_epoch_begin(self, epoch: int, logs: dict | None = None) -> None:
        values = self._values()
        if _finite(values):
            self._good = (epoch, values)
        else:
            self._stop(epoch, "the weights are not finite at the beginning of")

    def on_train_batch_end(self, batch: int, logs: dict | None = None) -> None:
        if batch % self.check_every == 0:
            self._check(logs, f"the loss is {{loss}} at batch {batch + 1} of")

    def on_epoch_end(self, epoch: int, logs: dict | None = None) -> None:
        self._check(logs, "the loss is {loss} at the end of")
        if self.message is None and not _finite(self._values()):
            self._stop(epoch, "the weights are not finite at the end of")
            if logs is not None:
                logs["loss"] = float("nan")

    def _check(self, logs: dict | None, what: str) -> None:
        loss = float((logs or {}).get("loss", 0.0))
        if self.message is None and not np.isfinite(loss):
            assert self._good is not None, "an epoch began, with finite weights"
            self._stop(self._good[0], what.format(loss=loss))

    def _stop(self, epoch: int, what: str) -> None:
        restored = "there was nothing to restore"
        if self._good is not None:
            for variable, value in zip(self._variables(), self._good[1], strict=True):
                variable.assign(value)
            restored = f"the state from the beginning of epoch {self._good[0] + 1} is restored"
        self.message = f"Training stopped: {what} epoch {epoch + 1}; {restored}. {self._advice()}"
        self.model.stop_training = True
        if process().first:
            print(self.message, flush=True)

    def _values(self) -> list[np.ndarray]:
        return [keras.ops.convert_to_numpy(v) for v in self._variables()]

    def _variables(self) -> list[Any]:
        model = self.model
        return [*model.trainable_variables, *model.non_trainable_variables] + [
            *model.optimizer.variables
        ]

    def _advice(self) -> str:
        tries = ["a lower learning rate"]
        if getattr(self.model, "logvar_bound", 0) is None:
            tries.append("a bound of the log-variance (logvar_bound=4)")
        if getattr(self.model, "stop_feedback_gradient", True) is False:
            tries.append("stopping the gradient at the fed-back frame (stop_feedback_gradient)")
        if getattr(self.model, "output_bound", None) == "none":
            tries.append("a bounded output (output='sigmoid')")
        tries.append("global gradient-norm clipping at 1 or below")
        return "Try " + "; ".join(tries) + "."


def _finite(values: Sequence[np.ndarray]) -> bool:
    return all(np.isfinite(v).all() for v in values if np.issubdtype(v.dtype, np.floating))
