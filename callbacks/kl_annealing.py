"""Annealing of the KL weight beta by epoch."""

import keras

from keras_cvae.schedules import kl_weight


class KLAnnealing(keras.callbacks.Callback):
    """Sets the model's `beta` at the beginning of each epoch, and logs it as `beta`.

    See `keras_cvae.schedules.kl_weight` for the strategies (Fu et al. 2019, arXiv:1903.10145) and
    for the cases that the published formula leaves undefined. The value depends on the epoch
    alone, so that a resumed run has it right; past the end it keeps the last epoch's.

    Args:
        strategy: `"none"`, `"monotonic"` or `"cyclical"`.
        epochs: int >= 1, the length of the schedule, as a rule that of the training.
        cycles: int >= 1, the number of ramps of `"cyclical"`.
        ratio: float in (0, 1], the ramp's share of a cycle.
        start: float >= 0, beta at the beginning of a ramp.
        stop: float >= 0, beta at its end, and in every epoch of `"none"`.

    Raises:
        UserError: for an unknown strategy or a value out of its range.

    Example:

    ```python
    model.fit(clips, epochs=70, callbacks=[KLAnnealing("cyclical", epochs=70)])
    ```
    """

    def __init__(self, strategy, epochs, cycles=10, ratio=1.0, start=0.0, stop=1.0):
        super().__init__()
        self.schedule = {
            "strategy": strategy,
            "epochs": epochs,
            "cycles": cycles,
            "ratio": ratio,
            "start": start,
            "stop": stop,
        }
        kl_weight(0, **self.schedule)  # wrong arguments are to fail here, not in the first epoch

    def on_epoch_begin(self, epoch, logs=None):
        self.model.beta.assign(kl_weight(epoch, **self.schedule))

    def on_epoch_end(self, epoch, logs=None):
        if logs is not None:
            logs["beta"] = kl_weight(epoch, **self.schedule)
