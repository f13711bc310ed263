"""Annealing of the KL weight beta by epoch."""

from typing import Any

import keras

from keras_cvae.schedules import kl_weight


class KLAnnealing(keras.callbacks.Callback):
    """Sets the model's `beta` at the beginning of each epoch, and logs it as `beta`.

    See `keras_cvae.schedules.kl_weight` for the strategies (Fu et al. 2019, arXiv:1903.10145) and
    for the cases in which the published formula is undefined. The value depends on the epoch
    alone, so it is right in a resumed run. After the end it keeps the value of the last epoch.

    Args:
        strategy: `"none"`, `"monotonic"` or `"cyclical"`.
        epochs: at least 1, the length of the schedule, usually that of the training.
        cycles: at least 1, the number of ramps of `"cyclical"`.
        ratio: in (0, 1], the ramp's share of a cycle.
        start: at least 0, beta at the beginning of a ramp.
        stop: at least 0, beta at the end of a ramp, and in every epoch of `"none"`.

    Raises:
        UserError: for an unknown strategy, or a value out of its range.

    Example:

    ```python
    model.fit(clips, epochs=70, callbacks=[KLAnnealing("cyclical", epochs=70)])
    ```
    """

    def __init__(
        self,
        strategy: str,
        epochs: int,
        cycles: int = 10,
        ratio: float = 1.0,
        start: float = 0.0,
        stop: float = 1.0,
    ):
        super().__init__()
        self.schedule: dict[str, Any] = {
            "strategy": strategy,
            "epochs": epochs,
            "cycles": cycles,
            "ratio": ratio,
            "start": start,
            "stop": stop,
        }
        kl_weight(0, **self.schedule)  # wrong arguments fail here, not in the first epoch

    def on_epoch_begin(self, epoch: int, logs: dict | None = None) -> None:
        self.model.beta.assign(kl_weight(epoch, **self.schedule))

    def on_epoch_end(self, epoch: int, logs: dict | None = None) -> None:
        if logs is not None:
            logs["beta"] = kl_weight(epoch, **self.schedule)
