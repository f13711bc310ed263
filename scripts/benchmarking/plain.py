"""The plain PyTorch loop of the checkout (`tests/reference_torch.py`) as something to measure."""

import importlib.util
import os
from pathlib import Path
from types import ModuleType
from typing import Any

import numpy as np
import torch

from benchmarking import inputs
from benchmarking.cases import Case
from keras_cvae.images import scaled

CHECKPOINT = "plain.ckpt"
BETA = 1.0
DEVICES = {"cpu": "cpu", "gpu": "cuda"}  # torch's names
LEARNING_RATE = 1e-3  # Adam; the loop clips the gradient's global norm to 1


def load_loop(path: str | os.PathLike) -> ModuleType:
    """The module of the plain loop, from its file."""
    spec = importlib.util.spec_from_file_location("plain_loop", path)
    assert spec and spec.loader
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


class Training:
    """Training steps. `step()` makes one and returns the number of predicted frames.

    Args:
        case: what is measured.
        folder: with the checkpoint that `prepare` wrote.
        loop: path of the plain loop's file.
        pieces: not used; a step of training has no pieces.
    """

    def __init__(self, case: Case, folder: Path, loop: str | os.PathLike, pieces: int = 1):
        self.model = _loaded(case, folder, loop)
        self.optimizer = torch.optim.Adam(self.model.parameters(), lr=LEARNING_RATE)
        latent_shape = (case.height, case.width, case.width_arguments()["latent_maps"])
        batch = inputs.training_batch(case, latent_shape)
        self.frames, self.poses, self.eps = (
            channels_first(batch[key]).to(DEVICES[case.device])
            for key in ("frames", "poses", "eps")
        )
        self.forced = case.task == "train_forced"
        self.predicted = case.batch * (case.clip_length - 1)
        self.loss: float | None = None

    def step(self) -> int:
        elbo = self.model.train_step(
            self.optimizer, self.frames, self.poses, self.eps, BETA, self.forced
        )
        self.loss = elbo.loss.item()
        return self.predicted


class Rollout:
    """Prediction, one piece of the video per step; see `Training` for the arguments.

    Args:
        pieces: the number of steps that predict the video once.
    """

    def __init__(self, case: Case, folder: Path, loop: str | os.PathLike, pieces: int = 1):
        self.model = _loaded(case, folder, loop)
        first, poses = inputs.video(case)
        self.device = DEVICES[case.device]
        self.frame = channels_first(first[:, None])[:, 0].to(self.device)
        self.pieces = inputs.Pieces(channels_first(poses).to(self.device), pieces)
        self.latent_shape = (case.width_arguments()["latent_maps"], case.height, case.width)
        self.loss: float | None = None

    def warm_up(self) -> None:
        self._predict(self.pieces.poses[:, : min(self.pieces.length, 16) + 1])

    def step(self) -> int:
        # As published: only the previous frame is carried over; bounded, as ours has to be.
        prediction = self._predict(self.pieces.next())
        self.frame = prediction[:, -1].clamp(0, 1)
        return prediction.shape[0] * prediction.shape[1]

    def _predict(self, poses: torch.Tensor) -> Any:
        with torch.no_grad():
            shape = (poses.shape[0], poses.shape[1] - 1, *self.latent_shape)
            z = torch.randn(shape, device=self.device)
            return self.model.predict(self.frame, poses, z)


def _loaded(case: Case, folder: Path, loop: str | os.PathLike) -> Any:
    model = load_loop(loop).load_reference(folder / CHECKPOINT, norm="frame")
    return model.to(DEVICES[case.device])


def channels_first(images: np.ndarray) -> torch.Tensor:
    """(B, T, H, W, C), uint8 or floats, as a float32 tensor (B, T, C, H, W), uint8 scaled."""
    return torch.from_numpy(np.ascontiguousarray(np.moveaxis(scaled(images), -1, 2)))
