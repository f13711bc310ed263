"""Decay of the teacher-forcing ratio by epoch."""

from typing import Any

import keras

from keras_cvae.errors import check_has
from keras_cvae.schedules import teacher_forcing_ratio


class TeacherForcing(keras.callbacks.Callback):
    """Sets the model's `teacher_forcing_ratio` at each epoch's beginning, and logs it as `tfr`.

    The ratio is the probability that a batch is predicted from the true frames instead of the
    model's own predictions; it is sampled per batch. The value depends on the epoch alone, so it is
    right in a resumed run; see `keras_cvae.schedules.teacher_forcing_ratio`.

    Args:
        start: in [0, 1], the ratio of the first epochs.
        start_decay_epoch: at least 0, the finished epochs before the first decay.
        decay_step: at least 0, what the ratio loses at the end of each epoch from then on.

    Raises:
        UserError: for a value out of its range, or a model without `teacher_forcing_ratio`.

    Example:

    ```python
    model.fit(clips, epochs=30, callbacks=[TeacherForcing(start_decay_epoch=5)])
    ```
    """

    def __init__(self, start: float = 1.0, start_decay_epoch: int = 10, decay_step: float = 0.1):
        super().__init__()
        self.schedule: dict[str, Any] = {
            "start": start,
            "start_decay_epoch": start_decay_epoch,
            "decay_step": decay_step,
        }
        teacher_forcing_ratio(
            0, **self.schedule
        )  # wrong arguments fail here, not in the first epoch

    def set_model(self, model: Any) -> None:
        check_has(model, "teacher_forcing_ratio", "TeacherForcing")
        super().set_model(model)

    def on_epoch_begin(self, epoch: int, logs: dict | None = None) -> None:
        self.model.teacher_forcing_ratio.assign(teacher_forcing_ratio(epoch, **self.schedule))

    def on_epoch_end(self, epoch: int, logs: dict | None = None) -> None:
        if logs is not None:
            logs["tfr"] = teacher_forcing_ratio(epoch, **self.schedule)
