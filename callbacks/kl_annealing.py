"""Annealing of the KL weight beta by epoch."""

import warnings
from typing import Any

import keras

from keras_cvae.errors import check_has
from keras_cvae.schedules import default_cycles, has_ramps, kl_weight, most_cycles


class KLAnnealing(keras.callbacks.Callback):
    """Sets the model's `beta` at the beginning of each epoch, and logs it as `beta`.

    See `keras_cvae.schedules.kl_weight` for the strategies (Fu et al. 2019, arXiv:1903.10145) and
    for the cases in which the published formula is undefined. The value depends on the epoch
    alone, so it is right in a resumed run. After the end it keeps the value of the last epoch.

    Args:
        strategy: `"none"`, `"monotonic"` or `"cyclical"`.
        epochs: at least 1, the length of the schedule, usually that of the training.
        cycles: at least 1, the number of ramps of `"cyclical"`. `None` takes `default_cycles`: at
            most ten, each with a ramp of three epochs or more. A warning says if there are so many
            that no ramp is left.
        ratio: in (0, 1], the ramp's share of a cycle.
        start: at least 0, beta at the beginning of a ramp.
        stop: at least 0, beta at the end of a ramp, and in every epoch of `"none"`.

    Raises:
        UserError: for an unknown strategy, a value out of its range, or a model without `beta`.

    Example:

    ```python
    model.fit(clips, epochs=70, callbacks=[KLAnnealing("cyclical", epochs=70)])
    ```
    """

    def __init__(
        self,
        strategy: str,
        epochs: int,
        cycles: int | None = None,
        ratio: float = 1.0,
        start: float = 0.0,
        stop: float = 1.0,
    ):
        super().__init__()
        self.schedule: dict[str, Any] = {
            "strategy": strategy,
            "epochs": epochs,
            "cycles": 1 if cycles is None else cycles,
            "ratio": ratio,
            "start": start,
            "stop": stop,
        }
        kl_weight(0, **self.schedule)  # wrong arguments fail here, not in the first epoch
        if cycles is None:
            self.schedule["cycles"] = default_cycles(epochs, ratio)
        if strategy == "cyclical" and not has_ramps(epochs, self.schedule["cycles"], ratio):
            warnings.warn(
                f"{self.schedule['cycles']} cycles in {epochs} epochs leave no room for ramps: "
                f"beta is constant or jumps. At most {most_cycles(epochs, ratio)} have ramps.",
                stacklevel=2,
            )

    def set_model(self, model: Any) -> None:
        check_has(model, "beta", "KLAnnealing")
        super().set_model(model)

    def on_epoch_begin(self, epoch: int, logs: dict | None = None) -> None:
        self.model.beta.assign(kl_weight(epoch, **self.schedule))

    def on_epoch_end(self, epoch: int, logs: dict | None = None) -> None:
        if logs is not None:
            logs["beta"] = kl_weight(epoch, **self.schedule)
