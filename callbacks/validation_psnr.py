"""PSNR of the long validation roll-out, in the epoch's logs."""

import numpy as np
from keras.callbacks import Callback

from keras_cvae.data.videos import as_videos
from keras_cvae.errors import check_at_least_1
from keras_cvae.evaluation import predict_videos
from keras_cvae.metrics import frame_psnr


class ValidationPSNR(Callback):
    """Predicts the validation videos from their first frames and logs the mean PSNR as `val_psnr`.

    Prediction is what it is in use: z from the prior, no true frame but the first, batch norm in
    inference mode. PSNR is per frame, 10 log10(1 / mse) on [0, 1]; the given frame does not count.
    Put it before `ModelCheckpoint(monitor="val_psnr", mode="max")`, `EarlyStopping` and
    `CSVLogger`, so that they see the value. Epochs without validation log nothing: Keras'
    `ModelCheckpoint` saves them all the same, so validate each epoch where you use it.

    Args:
        data: `Clips`, or a list of `keras_cvae.data.Video` or `(frames, poses)` pairs, or one such
            pair of arrays. Whole videos are predicted, not clips.
        every: int >= 1, validate after every so many epochs, and always after the last one.
        max_frames: int or `None`, predict at most so many frames of each video; the last epoch is
            always validated in full.
        temperature: float >= 0, scale of the prior noise, or `None` for the model's own.

    Attributes:
        per_frame: dict video name -> (T-1,) PSNR in dB per predicted frame, of the last validation.

    Raises:
        ValueError: if `every` or `max_frames` is below 1, or the data are not videos.

    Example:

    ```python
    callbacks = [ValidationPSNR((val_frames, val_poses), every=5)]
    model.fit(clips, epochs=50, callbacks=callbacks)
    ```
    """

    def __init__(self, data, every=1, max_frames=None, temperature=None):
        super().__init__()
        check_at_least_1(every=every, max_frames=max_frames)
        self.videos = as_videos(data)
        self.every = every
        self.max_frames = max_frames
        self.temperature = temperature
        self.per_frame = {}

    def on_epoch_end(self, epoch, logs=None):
        last = epoch == self.params["epochs"] - 1
        if (epoch + 1) % self.every and not last:
            return
        predictions = predict_videos(
            self.model, self.videos, self.temperature, max_frames=None if last else self.max_frames
        )
        curves = [
            frame_psnr(video.frames[1 : len(prediction)], prediction[1:])
            for video, prediction in zip(self.videos, predictions, strict=True)
        ]
        names = [video.name for video in self.videos]
        self.per_frame = dict(zip(names, curves, strict=True))
        if logs is not None:
            logs["val_psnr"] = float(np.concatenate(curves).mean())
