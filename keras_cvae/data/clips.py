"""Batches of clips of a fixed length, cut from videos at random places, for `model.fit`."""

import warnings
from typing import Any

import keras
import numpy as np

from keras_cvae.backend.batch_share import check_divides
from keras_cvae.backend.process import process
from keras_cvae.data.share import first_share
from keras_cvae.data.videos import Video, Videos, as_videos
from keras_cvae.errors import UserError


class Clips(keras.utils.PyDataset):
    """Batches of clips, cut from videos at new random places in every epoch.

    An epoch has `num_frames // stride` clips. Each video gets a share by its length. In a video
    with `n` possible starts, `k` clips begin `n / k` frames apart (a little less than `stride`),
    and all are shifted by one random offset per video and epoch. So every possible start is equally
    likely, no clip crosses the end of a video, and all epochs have the same length. Then the clips
    are shuffled; an incomplete last batch is dropped.

    The clips are a pure function of `seed` and the attribute `epoch`. Set `epoch` at the beginning
    of an epoch to choose its clips. `on_epoch_end` increments it, so that a plain
    `model.fit(clips)` gets new clips in each epoch, too. (Keras also calls it once before training
    begins.) `fit` itself reorders the batches with Python's `random`; `shuffle=False` turns that
    off.

    A batch is one copy from arrays that are in memory or memory-mapped. Nothing is decoded here,
    and reading is thread-safe, so one worker is enough.

    Args:
        videos: a list of `Video` or of pairs `(frames, poses)`, or a single pair. All arrays are
            (T, H, W, 3), RGB, uint8 in [0, 255] or floats in [0, 1]; `poses[t]` is the pose of
            `frames[t]`. A video shorter than one clip gives no clip and a warning.
        clip_length: at least 2, the frames of a clip with its first, given one.
        batch_size: at least 1, the clips of a batch.
        stride: at least 1: an epoch has one clip per `stride` frames. `None` takes `clip_length`.
        partial: in (0, 1], the share of the frames to use: the first `round(partial * frames)`
            frames of all videos in order. The video in which the share ends is cut there.
        seed: at least 0; determines all offsets and orders.
        shuffle: whether clips come in random order. The offsets are always random.
        mirror: whether a random half of the clips is mirrored left to right, frames and poses. It
            gives more data from a short video in which only the pose determines left and right.
        part: `(index, count)`: serve part `index`, from 0, of `count` equal parts of each batch.
            `None` takes this process's part where several train together (see
            `keras_cvae.distribution`), else the whole batch.

    Attributes:
        videos: the list of `Video` that clips are cut from, `partial` applied.
        num_frames: the number of frames of `videos`.
        frame_size: `(height, width)`.
        epoch: the epoch whose clips are served, 0 at first.

    Raises:
        UserError: for wrong arrays or arguments, fewer frames than one clip, fewer clips than one
            batch, or a batch that cannot be divided into equal parts.

    Example:
        >>> clips = Clips((frames, poses), clip_length=16, batch_size=8)
        >>> (batch,) = clips[0]
        >>> batch["frames"].shape
        (8, 16, 32, 64, 3)
        >>> model.fit(clips, epochs=10)
    """

    has_parts = True  # a batch can be divided among processes or devices

    def __init__(
        self,
        videos: Videos,
        clip_length: int = 16,
        batch_size: int = 8,
        stride: int | None = None,
        partial: float = 1.0,
        seed: int = 0,
        shuffle: bool = True,
        mirror: bool = False,
        part: tuple[int, int] | None = None,
    ):
        super().__init__()
        stride = clip_length if stride is None else stride
        for name, value, low in (
            ("clip_length", clip_length, 2),  # the given frame and one to predict
            ("batch_size", batch_size, 1),
            ("stride", stride, 1),
            ("seed", seed, 0),
        ):
            is_integer = isinstance(value, int | np.integer) and not isinstance(value, bool)
            if not is_integer or value < low:
                raise UserError(f"{name} must be an integer of at least {low}, got {value!r}.")
        self.videos = _long_enough(first_share(as_videos(videos), partial), clip_length)
        self.num_frames = sum(len(video.frames) for video in self.videos)
        self.frame_size = self.videos[0].frames.shape[1:3]
        self.clip_length = clip_length
        self.batch_size = batch_size
        self.stride = stride
        self.partial = partial
        self.seed = seed
        self.shuffle = shuffle
        self.mirror = mirror
        self.part = part
        self.epoch = 0
        self._num_clips = self.num_frames // stride
        self._plan: tuple[Any, ...] = (None, None, None)  # epoch, starts, steps
        check_divides(batch_size, (part or process())[1])
        if self._num_clips < batch_size:
            raise UserError(
                f"{self.num_frames} frames give {self._num_clips} clips (one per stride={stride} "
                f"frames), fewer than one batch of {batch_size}. Lower batch_size or stride, or "
                "add frames."
            )

    def __len__(self) -> int:
        return self._num_clips // self.batch_size

    def __getitem__(self, index: int) -> tuple[dict[str, np.ndarray]]:
        """One batch of the current epoch.

        Args:
            index: of the batch, from 0.

        Returns:
            `({"frames": images, "poses": images},)`, both (batch_size, clip_length, H, W, 3), uint8
            or float32 as the videos. A part of a batch has so many fewer clips.
        """
        part, parts = self.part or process()
        size = check_divides(self.batch_size, parts)
        first = range(len(self))[index] * self.batch_size + part * size
        epoch = self.epoch
        planned, starts, steps = self._plan
        if planned != epoch:
            starts, steps = self.starts(epoch), self._columns(epoch)
            self._plan = (epoch, starts, steps)  # one assignment: threads see the old or the new
        batch: dict[str, list[np.ndarray]] = {"frames": [], "poses": []}
        chosen = slice(first, first + size)
        for (video, start), step in zip(starts[chosen], steps[chosen], strict=True):
            for key, images in batch.items():
                clip = getattr(self.videos[video], key)[start : start + self.clip_length]
                images.append(clip[:, :, ::step])
        return ({key: np.stack(images) for key, images in batch.items()},)

    def on_epoch_end(self) -> None:
        """Goes on to the clips of the next epoch; Keras calls it."""
        self.epoch += 1

    def starts(self, epoch: int) -> np.ndarray:
        """Where the clips of an epoch begin, in the order in which they are served.

        Args:
            epoch: the epoch, from 0.

        Returns:
            Integer array (num_frames // stride, 2): the index of the video, and that of the clip's
            first frame in it.
        """
        rng = np.random.default_rng([self.seed, epoch])
        lengths = np.array([len(video.frames) for video in self.videos])
        # Each video has a whole number of clips, over the epochs in proportion to its frames. The
        # sum is the same in every epoch. All is computed in integers, so nothing is rounded.
        shares = np.cumsum(lengths) * self._num_clips + rng.integers(self.num_frames)
        counts = np.diff(shares // self.num_frames, prepend=0)
        starts = []
        for video, (length, count) in enumerate(zip(lengths, counts, strict=True)):
            places = length - self.clip_length + 1
            grid = np.arange(count) * places + rng.integers(places)
            starts.append(np.stack([np.full(count, video), grid // max(count, 1)], axis=1))
        in_order = np.concatenate(starts)
        return rng.permutation(in_order) if self.shuffle else in_order

    def _columns(self, epoch: int) -> np.ndarray:
        """The step from column to column of each clip of an epoch: 1, or -1 if it is mirrored."""
        coins = np.random.default_rng([self.seed, epoch, 1]).random(self._num_clips)
        return np.where(self.mirror & (coins < 0.5), -1, 1)


def _long_enough(videos: list[Video], clip_length: int) -> list[Video]:
    short = [video for video in videos if len(video.frames) < clip_length]
    if not short:
        return videos
    names = ", ".join(f"{video.name} ({len(video.frames)} frames)" for video in short[:5])
    names += f" and {len(short) - 5} more" if len(short) > 5 else ""
    if len(short) == len(videos):
        raise UserError(
            f"No video is as long as one clip of {clip_length} frames: {names}. Lower clip_length, "
            "raise partial or add frames."
        )
    warnings.warn(
        f"{len(short)} of {len(videos)} videos are shorter than one clip of {clip_length} frames "
        f"and give no clip: {names}.",
        stacklevel=3,
    )
    return [video for video in videos if len(video.frames) >= clip_length]
