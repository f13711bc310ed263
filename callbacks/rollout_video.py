"""A GIF of the validation rollout during training."""

import os
from pathlib import Path
from typing import Any

from keras.callbacks import Callback

from keras_cvae.backend.process import process
from keras_cvae.callbacks.validation_psnr import ValidationPSNR
from keras_cvae.errors import UserError, check_at_least_1
from keras_cvae.video import side_by_side, write_video


class RolloutVideo(Callback):
    """Writes `epoch-0010.gif`, `epoch-0020.gif`, ...: truth | prediction | pose | error.

    The first validation video is predicted from its first frame with z from the prior, as
    `ValidationPSNR` does. A file of the same name is replaced: a resumed run writes it again. Of
    several processes that train together the first writes.

    Args:
        data: a `ValidationPSNR`, whose predictions are shown (place it before this callback); or
            `Clips`, a list of `keras_cvae.data.Video` or `(frames, poses)` pairs, or one such pair
            of arrays. The first video is shown.
        folder: where to write; made if it does not exist.
        every: at least 1, the number of epochs from one GIF to the next.
        max_frames: at least 1, the largest number of predicted frames to show; `None` shows all.
        temperature: at least 0, the scale of the prior noise; `None` takes the model's. Leave it
            out with a `ValidationPSNR`, which has its own.
        fps: frames per second of the GIF.
        name: of the files, with `{epoch:04d}` or similar in it. Without it there is one file, of
            the newest rollout, and it is also written after the last epoch.

    Raises:
        UserError: if `every` or `max_frames` is below 1, `data` are not videos, or `temperature` is
            given with a `ValidationPSNR`.

    Example:

    ```python
    validation = ValidationPSNR((val_frames, val_poses))
    model.fit(clips, epochs=50, callbacks=[validation, RolloutVideo(validation, "rollouts")])
    ```
    """

    def __init__(
        self,
        data: Any,
        folder: str | os.PathLike,
        every: int = 10,
        max_frames: int | None = 120,
        temperature: float | None = None,
        fps: float = 24,
        name: str = "epoch-{epoch:04d}.gif",
    ):
        super().__init__()
        check_at_least_1(every=every, max_frames=max_frames)
        if not isinstance(data, ValidationPSNR):
            data = ValidationPSNR(data, temperature=temperature)
        elif temperature is not None:
            raise UserError(
                f"temperature={temperature} was given with a ValidationPSNR, which has its own "
                f"({data.temperature}). Give it there."
            )
        self.source = data
        self.folder = Path(folder)
        self.every = every
        self.max_frames = max_frames
        self.fps = fps
        self.name = name

    def on_epoch_end(self, epoch: int, logs: dict | None = None) -> None:
        newest = "{epoch" not in self.name and epoch + 1 == (self.params or {}).get("epochs")
        if ((epoch + 1) % self.every and not newest) or not process().first:
            return
        prediction = self.source.first_rollout(self.model, epoch, self.max_frames)
        video, shown = self.source.videos[0], slice(len(prediction))
        panels = side_by_side(video.frames[shown], prediction, video.poses[shown])
        path = self.folder / self.name.format(epoch=epoch + 1)
        write_video(path, panels, fps=self.fps, overwrite=True)
