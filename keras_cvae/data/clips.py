"""Clips of fixed length cut at random from videos, in batches for `model.fit`."""

import warnings
from collections.abc import Sequence

import keras
import numpy as np

from keras_cvae.data.videos import Video, as_videos
from keras_cvae.errors import UserError


class Clips(keras.utils.PyDataset):
    """Batches of clips, cut from videos at new random places in every epoch.

    An epoch is `num_frames // stride` clips, shared among the videos by their length. Within a
    video with `n` possible starts, `k` clips begin `n / k` frames apart (a little less than
    `stride`), all shifted by one random offset per video and epoch, so that every possible start
    is equally likely, no clip crosses the end of a video, and an epoch is always of the same
    length. Clips are then shuffled; an incomplete last batch is dropped.

    Everything is a pure function of `seed` and the attribute `epoch`. Set `epoch` at the beginning
    of an epoch to fix what that epoch sees; `on_epoch_end` counts it up, so that a plain
    `model.fit(clips)` sees new clips in each epoch as well. (Keras also calls it once before
    training begins.) `fit` itself reorders the batches with Python's `random` unless it is given
    `shuffle=False`.

    A batch is one copy out of arrays that are in memory or memory-mapped: nothing is decoded here,
    and reading is thread-safe, so that one worker suffices.

    Args:
        videos: a list of `Video` or of pairs `(frames, poses)`, or a single pair. All arrays
            `(T, H, W, 3)`, RGB, uint8 in [0, 255] or floats in [0, 1], with `poses[t]` the pose
            of `frames[t]`. A video shorter than one clip yields none and is reported by a warning.
        clip_length: frames in a clip, the first, given one included.
        batch_size: clips in a batch.
        stride: an epoch has one clip per `stride` frames; `clip_length` by default.
        partial: share in (0, 1] of the frames to use: the first `round(partial * frames)` frames of
            all videos in order, so that the video in which the share ends is cut there.
        seed: non-negative integer from which all offsets and orders derive.
        shuffle: whether clips come in random order. The offsets are random either way.
        mirror: whether half of the clips, at random, are mirrored left to right, frames and poses
            alike: more data from a short video, where nothing but the pose tells left from right.

    Attributes:
        videos: the list of `Video` that clips are cut from, `partial` applied.
        num_frames: frames in `videos`.
        frame_size: `(height, width)`.
        epoch: the epoch whose clips are served, 0 at first.

    Raises:
        UserError: arrays or arguments that do not fit, fewer frames than one clip, or fewer clips
            than one batch.

    Example:
        >>> clips = Clips((frames, poses), clip_length=16, batch_size=8)
        >>> (batch,) = clips[0]
        >>> batch["frames"].shape
        (8, 16, 32, 64, 3)
        >>> model.fit(clips, epochs=10)
    """

    def __init__(
        self,
        videos: Sequence[Video] | Sequence[tuple[np.ndarray, np.ndarray]],
        clip_length: int = 16,
        batch_size: int = 8,
        stride: int | None = None,
        partial: float = 1.0,
        seed: int = 0,
        shuffle: bool = True,
        mirror: bool = False,
    ):
        super().__init__()
        stride = clip_length if stride is None else stride
        for name, value, low in (
            ("clip_length", clip_length, 2),  # the given frame and one to predict
            ("batch_size", batch_size, 1),
            ("stride", stride, 1),
            ("seed", seed, 0),
        ):
            if not isinstance(value, int | np.integer) or value < low:
                raise UserError(f"{name} must be an integer of at least {low}, got {value!r}.")
        if not 0 < partial <= 1:
            raise UserError(f"partial must be a share in (0, 1], got {partial!r}.")

        self.videos = _long_enough(_first_share(as_videos(videos), partial), clip_length)
        self.num_frames = sum(len(video.frames) for video in self.videos)
        self.frame_size = self.videos[0].frames.shape[1:3]
        self.clip_length = clip_length
        self.batch_size = batch_size
        self.stride = stride
        self.partial = partial
        self.seed = seed
        self.shuffle = shuffle
        self.mirror = mirror
        self.epoch = 0
        self._num_clips = self.num_frames // stride
        self._plan = (None, None, None)
        if self._num_clips < batch_size:
            raise UserError(
                f"{self.num_frames} frames give {self._num_clips} clips (one per stride={stride} "
                f"frames), fewer than one batch of {batch_size}. Lower batch_size or stride, or "
                "add frames."
            )

    def __len__(self) -> int:
        return self._num_clips // self.batch_size

    def __getitem__(self, index: int) -> tuple[dict[str, np.ndarray]]:
        """Returns batch `index` of the current epoch.

        Args:
            index: which batch, from 0.

        Returns:
            `({"frames": images, "poses": images},)`, each an array
            `(batch_size, clip_length, H, W, 3)`, uint8 (or float32 where the videos are).
        """
        first = range(len(self))[index] * self.batch_size
        epoch = self.epoch
        planned, starts, steps = self._plan
        if planned != epoch:
            starts, steps = self.starts(epoch), self._columns(epoch)
            self._plan = (epoch, starts, steps)  # one assignment: threads see the old or the new
        batch = {"frames": [], "poses": []}
        chosen = slice(first, first + self.batch_size)
        for (video, start), step in zip(starts[chosen], steps[chosen], strict=True):
            for key, images in batch.items():
                clip = getattr(self.videos[video], key)[start : start + self.clip_length]
                images.append(clip[:, :, ::step])
        return ({key: np.stack(images) for key, images in batch.items()},)

    def on_epoch_end(self) -> None:
        """Moves on to the clips of the next epoch; Keras calls it."""
        self.epoch += 1

    def starts(self, epoch: int) -> np.ndarray:
        """Where the clips of an epoch begin, in the order in which they are served.

        Args:
            epoch: the epoch, from 0.

        Returns:
            Integer array `(num_frames // stride, 2)`: the index of the video, and of the clip's
            first frame in it.
        """
        rng = np.random.default_rng([self.seed, epoch])
        lengths = np.array([len(video.frames) for video in self.videos])
        # Whole numbers of clips per video, in proportion to its frames over the epochs, that add
        # up to the same in every epoch; integers throughout, so that nothing is rounded away.
        shares = np.cumsum(lengths) * self._num_clips + rng.integers(self.num_frames)
        counts = np.diff(shares // self.num_frames, prepend=0)
        starts = []
        for video, (length, count) in enumerate(zip(lengths, counts, strict=True)):
            places = length - self.clip_length + 1
            grid = np.arange(count) * places + rng.integers(places)
            starts.append(np.stack([np.full(count, video), grid // max(count, 1)], axis=1))
        starts = np.concatenate(starts)
        return rng.permutation(starts) if self.shuffle else starts

    def _columns(self, epoch):
        """For each clip of an epoch 1, or -1 where its columns run backwards: a mirrored clip."""
        coins = np.random.default_rng([self.seed, epoch, 1]).random(self._num_clips)
        return np.where(self.mirror & (coins < 0.5), -1, 1)


def _first_share(videos: list[Video], partial: float) -> list[Video]:
    left = round(partial * sum(len(video.frames) for video in videos))
    kept = []
    for name, frames, poses in videos:
        if left:
            kept.append(Video(name, frames[:left], poses[:left]))
            left -= len(kept[-1].frames)
    return kept


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
