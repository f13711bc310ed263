"""What a run logs, for TensorBoard, on every backend."""

from pathlib import Path

import numpy as np
from keras.callbacks import Callback

from keras_cvae.callbacks.validation_psnr import ValidationPSNR
from keras_cvae.errors import UserError, check_at_least_1
from keras_cvae.video import side_by_side

SHOWN = 6  # frames of a roll-out


class TensorBoardLogs(Callback):
    """Writes every number of the epoch's logs, and pictures of the validation roll-out.

    Keras' own `TensorBoard` needs TensorFlow whatever the backend; this one needs tensorboardX. Put
    it after the callbacks whose values it is to log.

    Args:
        folder: str or `Path`, of the event files, which TensorBoard shows.
        data: as of `RolloutVideo`; truth, prediction, pose and error of some frames of the first
            video are shown, one below the other. `None` for numbers alone.
        every: int >= 1, pictures after every so many epochs, and after the last.
        max_frames: int, how far the roll-out goes.

    Raises:
        UserError: if tensorboardX is not installed, or `every` or `max_frames` is below 1.

    Example:

    ```python
    model.fit(clips, epochs=50, callbacks=[TensorBoardLogs("logs", (val_frames, val_poses))])
    ```
    """

    def __init__(self, folder, data=None, every=1, max_frames=120):
        super().__init__()
        check_at_least_1(every=every, max_frames=max_frames)
        self._class = writer_class()
        self.folder = Path(folder)
        if data is not None and not isinstance(data, ValidationPSNR):
            data = ValidationPSNR(data)
        self.source = data
        self.every = every
        self.max_frames = max_frames
        self.writer = None

    def on_train_begin(self, logs=None):
        self.writer = self._class(str(self.folder))

    def on_epoch_end(self, epoch, logs=None):
        for name, value in (logs or {}).items():
            if np.isfinite(value):
                self.writer.add_scalar(name, float(value), epoch + 1)
        last = epoch + 1 == (self.params or {}).get("epochs")
        if self.source is not None and ((epoch + 1) % self.every == 0 or last):
            self.writer.add_image("rollout", self._picture(epoch), epoch + 1, dataformats="HWC")
        self.writer.flush()

    def on_train_end(self, logs=None):
        self.writer.close()

    def _picture(self, epoch):
        video = self.source.videos[0]
        prediction = self.source.first_rollout(self.model, epoch, self.max_frames)
        numbers = np.unique(np.linspace(1, len(prediction) - 1, SHOWN).round().astype(int))
        rows = []
        for n in numbers:
            of = (video.frames[n : n + 1], prediction[n : n + 1], video.poses[n : n + 1])
            rows.extend(side_by_side(*of, first_number=n))
        return np.concatenate(rows)


def writer_class():
    """The class that writes event files; a `UserError` where its package is absent."""
    try:
        from tensorboardX import SummaryWriter
    except ImportError:
        raise UserError(
            "TensorBoard logs need tensorboardX, which is not installed: "
            "pip install 'keras_cvae[tensorboard]'."
        ) from None
    return SummaryWriter
