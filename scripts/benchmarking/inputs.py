"""The images and the noise that every implementation gets: a function of the case alone."""

from typing import Any

import numpy as np

from benchmarking.cases import Case


def training_batch(case: Case, latent_shape: tuple) -> dict[str, np.ndarray]:
    """A clip batch `{"frames", "poses", "eps"}`, channels last, images uint8.

    Args:
        case: what is measured.
        latent_shape: shape of one frame's z.
    """
    rng = np.random.default_rng(0)
    batch = {key: _images(rng, case, case.clip_length) for key in ("frames", "poses")}
    noise = rng.standard_normal((case.batch, case.clip_length - 1, *latent_shape), "float32")
    return {**batch, "eps": noise}


def video(case: Case) -> tuple[np.ndarray, np.ndarray]:
    """First frames (B, H, W, 3) and poses (B, T, H, W, 3), uint8."""
    rng = np.random.default_rng(0)
    return _images(rng, case, 1)[:, 0], _images(rng, case, case.clip_length)


def long_video(case: Case, frames: int = 2400) -> tuple[np.ndarray, np.ndarray]:
    """A pair `(frames, poses)` of one video to cut clips from, uint8."""
    rng = np.random.default_rng(0)
    shape = (max(frames, case.clip_length * case.batch), case.height, case.width, 3)
    images, poses = (rng.integers(0, 256, shape, dtype=np.uint8) for _ in range(2))
    return images, poses


class Pieces:
    """Consecutive pieces of a long rollout, all of one length, again and again.

    A repeat starts from the last frame of the one before it, so that all repeats together are the
    whole rollout. Where the frames do not divide, the last piece overlaps the one before it.

    Args:
        poses: array or tensor (B, T, ...); pose 0 belongs to the given frame.
        pieces: how many.
    """

    def __init__(self, poses: Any, pieces: int):
        self.poses = poses
        predicted = poses.shape[1] - 1
        self.length = max(1, -(-predicted // pieces))
        self._last = predicted - self.length
        self._next = 0

    def next(self) -> Any:
        """Poses (B, 1 + length, ...); the first is that of the given frame."""
        start = min(self._next, self._last)
        self._next = 0 if start == self._last else self._next + self.length
        return self.poses[:, start : start + self.length + 1]


def _images(rng: np.random.Generator, case: Case, frames: int) -> np.ndarray:
    shape = (case.batch, frames, case.height, case.width, 3)
    return rng.integers(0, 256, shape, dtype=np.uint8)
