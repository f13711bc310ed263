"""Stops training when the loss is no longer a number, and restores the last good weights."""

import keras
import numpy as np

from keras_cvae.errors import UserError


class NaNGuard(keras.callbacks.Callback):
    """Ends training at the first loss that is NaN or infinite.

    The weights and the optimiser's state go back to those of the last epoch that began with finite
    weights, and a message says what happened and what to change. Keras' `TerminateOnNaN` leaves
    the broken weights in place.

    The last update of an epoch can break the weights after its loss was still finite: then the
    epoch's logged `loss` becomes NaN, so that later callbacks (`TrainingState`) do not keep it.

    Args:
        check_every: int >= 1, batches between looks at the loss; reading it waits for the device.
            The end of an epoch is always looked at.

    Attributes:
        message: str, what happened and what to change, or `None` while all is well.

    Example:

    ```python
    model.fit(clips, epochs=50, callbacks=[NaNGuard()])
    ```
    """

    def __init__(self, check_every=10):
        super().__init__()
        if check_every < 1:
            raise UserError(f"check_every must be at least 1; got {check_every}.")
        self.check_every = check_every
        self.message = None
        self._good = None

    def on_train_begin(self, logs=None):
        self.message = None
        self._good = None
        if not self.model.optimizer.built:  # TensorFlow leaves that to the first step
            self.model.optimizer.build(self.model.trainable_variables)

    def on_epoch_begin(self, epoch, logs=None):
        values = self._values()
        if _finite(values):
            self._good = (epoch, values)
        else:
            self._stop(epoch, "the weights are not finite at the beginning of")

    def on_train_batch_end(self, batch, logs=None):
        if batch % self.check_every == 0:
            self._check(logs, f"the loss is {{loss}} at batch {batch + 1} of")

    def on_epoch_end(self, epoch, logs=None):
        self._check(logs, "the loss is {loss} at the end of")
        if self.message is None and not _finite(self._values()):
            self._stop(epoch, "the weights are not finite at the end of")
            if logs is not None:
                logs["loss"] = float("nan")

    def _check(self, logs, what):
        loss = float((logs or {}).get("loss", 0.0))
        if self.message is None and not np.isfinite(loss):
            self._stop(self._good[0], what.format(loss=loss))

    def _stop(self, epoch, what):
        restored = "there was nothing to restore"
        if self._good is not None:
            for variable, value in zip(self._variables(), self._good[1], strict=True):
                variable.assign(value)
            restored = f"the state from the beginning of epoch {self._good[0] + 1} is restored"
        self.message = f"Training stopped: {what} epoch {epoch + 1}; {restored}. {self._advice()}"
        self.model.stop_training = True
        print(self.message, flush=True)

    def _values(self):
        return [keras.ops.convert_to_numpy(v) for v in self._variables()]

    def _variables(self):
        model = self.model
        return [*model.trainable_variables, *model.non_trainable_variables] + [
            *model.optimizer.variables
        ]

    def _advice(self):
        tries = ["a lower learning rate"]
        if getattr(self.model, "logvar_bound", 0) is None:
            tries.append("a bound of the log-variance (logvar_bound=4)")
        if getattr(self.model, "stop_feedback_gradient", True) is False:
            tries.append("stopping the gradient at the fed-back frame (stop_feedback_gradient)")
        if getattr(self.model, "output_bound", None) == "none":
            tries.append("a bounded output (output='sigmoid')")
        tries.append("global gradient-norm clipping at 1 or below")
        return "Try " + "; ".join(tries) + "."


def _finite(values):
    return all(np.isfinite(v).all() for v in values if np.issubdtype(v.dtype, np.floating))
