"""Decay of the teacher-forcing ratio by epoch."""

import keras

from keras_cvae.schedules import teacher_forcing_ratio


class TeacherForcing(keras.callbacks.Callback):
    """Sets the model's `teacher_forcing_ratio` at each epoch's beginning, logged as `tfr`.

    The ratio is the probability that a batch is predicted from true frames instead of from the
    model's own predictions (one coin per batch). See `keras_cvae.schedules.teacher_forcing_ratio`:
    the value depends on the epoch alone.

    Args:
        start: float in [0, 1], the ratio of the first epochs.
        start_decay_epoch: int >= 0, finished epochs before the first decay.
        decay_step: float >= 0, how much the ratio falls at the end of each epoch from then on.

    Raises:
        UserError: for a value out of its range.

    Example:

    ```python
    model.fit(clips, epochs=30, callbacks=[TeacherForcing(start_decay_epoch=5)])
    ```
    """

    def __init__(self, start=1.0, start_decay_epoch=10, decay_step=0.1):
        super().__init__()
        self.schedule = {
            "start": start,
            "start_decay_epoch": start_decay_epoch,
            "decay_step": decay_step,
        }
        teacher_forcing_ratio(0, **self.schedule)  # wrong arguments are to fail here

    def on_epoch_begin(self, epoch, logs=None):
        self.model.teacher_forcing_ratio.assign(teacher_forcing_ratio(epoch, **self.schedule))

    def on_epoch_end(self, epoch, logs=None):
        if logs is not None:
            logs["tfr"] = teacher_forcing_ratio(epoch, **self.schedule)
