"""A film of the validation roll-out while training goes on."""

from pathlib import Path

from keras.callbacks import Callback

from keras_cvae.data.videos import as_videos
from keras_cvae.errors import check_at_least_1
from keras_cvae.evaluation import predict_videos
from keras_cvae.video import side_by_side, write_video


class RolloutVideo(Callback):
    """Writes `epoch-0010.gif` and so on: truth | prediction | pose | error.

    The first validation video is predicted from its first frame with z from the prior, as
    `ValidationPSNR` does. A file of the same name is replaced: a resumed run writes it again.

    Args:
        data: `Clips`, or a list of `keras_cvae.data.Video` or `(frames, poses)` pairs, or one such
            pair of arrays. The first video is shown.
        folder: str or `Path`, where to write; made if it is absent.
        every: int >= 1, a film after every so many epochs.
        max_frames: int or `None`, predict at most so many frames.
        temperature: float >= 0, scale of the prior noise, or `None` for the model's own.
        fps: frames per second of the film.
        name: str, of the files, with `{epoch:04d}` or the like in it; without, there is one file,
            always of the newest roll-out, that after the last epoch included.

    Raises:
        ValueError: if `every` or `max_frames` is below 1, or the data are not videos.

    Example:

    ```python
    model.fit(clips, epochs=50, callbacks=[RolloutVideo((val_frames, val_poses), "films")])
    ```
    """

    def __init__(
        self,
        data,
        folder,
        every=10,
        max_frames=120,
        temperature=None,
        fps=24,
        name="epoch-{epoch:04d}.gif",
    ):
        super().__init__()
        check_at_least_1(every=every, max_frames=max_frames)
        videos = as_videos(data)
        self.video = videos[0]
        self.folder = Path(folder)
        self.every = every
        self.max_frames = max_frames
        self.temperature = temperature
        self.fps = fps
        self.name = name

    def on_epoch_end(self, epoch, logs=None):
        newest = "{epoch" not in self.name and epoch + 1 == (self.params or {}).get("epochs")
        if (epoch + 1) % self.every and not newest:
            return
        (prediction,) = predict_videos(
            self.model, [self.video], self.temperature, max_frames=self.max_frames
        )
        shown = slice(len(prediction))
        film = side_by_side(self.video.frames[shown], prediction, self.video.poses[shown])
        path = self.folder / self.name.format(epoch=epoch + 1)
        write_video(path, film, fps=self.fps, overwrite=True)
