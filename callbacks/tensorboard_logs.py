"""The logs of a training for TensorBoard, on every backend."""

import os
from pathlib import Path
from typing import Any

import numpy as np
from keras.callbacks import Callback

from keras_cvae.backend.process import process
from keras_cvae.callbacks.validation_psnr import ValidationPSNR
from keras_cvae.errors import UserError, check_at_least_1
from keras_cvae.video import side_by_side

SHOWN = 6  # frames of a rollout


class TensorBoardLogs(Callback):
    """Writes every number of the epoch's logs, and pictures of the validation rollout.

    Keras' own `TensorBoard` needs TensorFlow on every backend; this one needs tensorboardX. Place
    it after the callbacks whose values it logs.

    Args:
        folder: of the event files; TensorBoard shows it.
        data: as of `RolloutVideo`. Truth, prediction, pose and error of some frames of the first
            video are shown, one row per frame. `None` logs numbers alone.
        every: at least 1, the number of epochs from one picture to the next; there is also one
            after the last epoch.
        max_frames: at least 1, the largest number of predicted frames.

    Raises:
        UserError: if tensorboardX is not installed, `every` or `max_frames` is below 1, or `data`
            are not videos.

    Example:

    ```python
    model.fit(clips, epochs=50, callbacks=[TensorBoardLogs("logs", (val_frames, val_poses))])
    ```
    """

    def __init__(
        self,
        folder: str | os.PathLike,
        data: Any = None,
        every: int = 1,
        max_frames: int = 120,
    ):
        super().__init__()
        check_at_least_1(every=every, max_frames=max_frames)
        self._class = writer_class()
        self.folder = Path(folder)
        if data is not None and not isinstance(data, ValidationPSNR):
            data = ValidationPSNR(data)
        self.source: ValidationPSNR | None = data
        self.every = every
        self.max_frames = max_frames
        self.writer: Any = None

    def on_train_begin(self, logs: dict | None = None) -> None:
        if process().first:  # of several that train together
            self.writer = self._class(str(self.folder))

    def on_epoch_end(self, epoch: int, logs: dict | None = None) -> None:
        if self.writer is None:
            return
        for name, value in (logs or {}).items():
            if np.isfinite(value):
                self.writer.add_scalar(name, float(value), epoch + 1)
        last = epoch + 1 == (self.params or {}).get("epochs")
        if self.source is not None and ((epoch + 1) % self.every == 0 or last):
            picture = self._picture(self.source, epoch)
            self.writer.add_image("rollout", picture, epoch + 1, dataformats="HWC")
        self.writer.flush()

    def on_train_end(self, logs: dict | None = None) -> None:
        if self.writer is not None:
            self.writer.close()

    def _picture(self, source: ValidationPSNR, epoch: int) -> np.ndarray:
        video = source.videos[0]
        prediction = source.first_rollout(self.model, epoch, self.max_frames)
        numbers = np.unique(np.linspace(1, len(prediction) - 1, SHOWN).round().astype(int))
        rows: list[np.ndarray] = []
        for n in numbers:
            of = (video.frames[n : n + 1], prediction[n : n + 1], video.poses[n : n + 1])
            rows.extend(side_by_side(*of, first_number=n))
        return np.concatenate(rows)


def writer_class() -> Any:
    """The class that writes event files.

    Raises:
        UserError: if tensorboardX is not installed.
    """
    try:
        from tensorboardX import SummaryWriter
    except ImportError:
        raise UserError(
            "TensorBoard logs need tensorboardX, which is not installed: "
            "pip install 'keras_cvae[tensorboard]'."
        ) from None
    return SummaryWriter
