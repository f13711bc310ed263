"""PSNR of the long validation rollout, in the epoch's logs."""

from typing import Any

import numpy as np
from keras.callbacks import Callback

from keras_cvae.backend.exchange import share
from keras_cvae.backend.process import process
from keras_cvae.data.videos import as_videos
from keras_cvae.errors import check_at_least_1, check_has
from keras_cvae.evaluation import predict_videos
from keras_cvae.metrics import frame_psnr


class ValidationPSNR(Callback):
    """Predicts the validation videos from their first frames and logs the mean PSNR as `val_psnr`.

    Videos are predicted as in use: z comes from the prior, the first frame is the only true one,
    and batch normalisation is in inference mode. PSNR is per frame, 10 log10(1 / mse) on [0, 1];
    the given frame is left out. Place it before `ModelCheckpoint(monitor="val_psnr", mode="max")`,
    `EarlyStopping` and `CSVLogger`, so that they see the value. Epochs without validation log
    nothing, but Keras' `ModelCheckpoint` saves them: with it, validate every epoch.

    `RolloutVideo` and `TensorBoardLogs` take it in place of the videos and use its predictions, so
    that an epoch predicts a validation frame once.

    Args:
        data: `Clips`, or a list of `keras_cvae.data.Video` or `(frames, poses)` pairs, or one such
            pair of arrays. Whole videos are predicted, not clips.
        every: at least 1, the number of epochs from one validation to the next. The last epoch is
            always validated.
        max_frames: at least 1, the largest number of frames to predict of each video; `None`
            predicts all. The last epoch predicts all.
        temperature: at least 0, the scale of the prior noise; `None` takes the model's.

    Attributes:
        per_frame: dict video name -> (T-1,) PSNR in dB per predicted frame, of the last validation.

    Raises:
        UserError: if `every` or `max_frames` is below 1, the data are not videos, or the model
            cannot predict videos.

    Example:

    ```python
    callbacks = [ValidationPSNR((val_frames, val_poses), every=5)]
    model.fit(clips, epochs=50, callbacks=callbacks)
    ```
    """

    def __init__(
        self,
        data: Any,
        every: int = 1,
        max_frames: int | None = None,
        temperature: float | None = None,
    ):
        super().__init__()
        check_at_least_1(every=every, max_frames=max_frames)
        self.videos = as_videos(data)
        self.every = every
        self.max_frames = max_frames
        self.temperature = temperature
        self.per_frame: dict[str, np.ndarray] = {}
        self._last: tuple[int, np.ndarray] | None = None  # epoch, prediction of the first video

    def set_model(self, model: Any) -> None:
        check_has(model, "predict_pieces", "ValidationPSNR")
        super().set_model(model)

    def on_epoch_begin(self, epoch: int, logs: dict | None = None) -> None:
        self._last = None  # another training counts its epochs from 0 again

    def on_epoch_end(self, epoch: int, logs: dict | None = None) -> None:
        last = epoch == self.params["epochs"] - 1
        if (epoch + 1) % self.every and not last:
            return
        # Of several processes one predicts. All see the value, so that they stop at one epoch.
        curves = share(self._curves(epoch, last) if process().first else None)
        names = [video.name for video in self.videos]
        self.per_frame = dict(zip(names, curves, strict=True))
        if logs is not None:
            logs["val_psnr"] = float(np.concatenate(curves).mean())

    def _curves(self, epoch: int, last: bool) -> list[np.ndarray]:
        """PSNR per frame of each video."""
        predictions = predict_videos(
            self.model,
            self.videos,
            self.temperature,
            max_frames=None if last else self.max_frames,
            label="validating",
        )
        self._last = (epoch, predictions[0])
        return [
            frame_psnr(video.frames[1 : len(prediction)], prediction[1:])
            for video, prediction in zip(self.videos, predictions, strict=True)
        ]

    def first_rollout(self, model: Any, epoch: int, max_frames: int | None = None) -> np.ndarray:
        """The prediction of the first video after an epoch, from the validation if it has it.

        Args:
            model: the `CVAE` that is trained.
            epoch: the running epoch, from 0.
            max_frames: the largest number of predicted frames; `None` for all.

        Returns:
            (T, H, W, 3) float32; frame 0 is the given one.
        """
        video = self.videos[0]
        frames = min(len(video.poses), np.inf if max_frames is None else max_frames + 1)
        if self._last is None or self._last[0] != epoch or len(self._last[1]) < frames:
            (prediction,) = predict_videos(
                model, [video], self.temperature, max_frames=max_frames, label="predicting"
            )
            self._last = (epoch, prediction)
        return self._last[1][: int(frames)]
