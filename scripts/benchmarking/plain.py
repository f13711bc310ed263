"""The plain PyTorch loop as something to measure: the file is the checkout's, not the package's."""

import importlib.util

import numpy as np
import torch

from benchmarking import inputs

CHECKPOINT = "plain.ckpt"
BETA = 1.0
LEARNING_RATE = 1e-3  # Adam; the loop clips the gradient's global norm to 1


def load_loop(path):
    """The module of the plain loop, from its file."""
    spec = importlib.util.spec_from_file_location("plain_loop", path)
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


class Training:
    """Training steps. `step()` makes one and returns the number of predicted frames.

    Args:
        case: `Case`.
        folder: `Path` with the checkpoint that `prepare` wrote.
        loop: path of the plain loop's file.
        pieces: not used; a step is a step.
    """

    def __init__(self, case, folder, loop, pieces=1):
        self.model = load_loop(loop).load_reference(folder / CHECKPOINT, norm="frame")
        self.optimizer = torch.optim.Adam(self.model.parameters(), lr=LEARNING_RATE)
        latent_shape = (case.height, case.width, case.width_arguments()["latent_maps"])
        batch = inputs.training_batch(case, latent_shape)
        self.frames, self.poses, self.eps = (
            channels_first(batch[key]) for key in ("frames", "poses", "eps")
        )
        self.forced = case.task == "train_forced"
        self.predicted = case.batch * (case.clip_length - 1)
        self.loss = None

    def step(self):
        elbo = self.model.train_step(
            self.optimizer, self.frames, self.poses, self.eps, BETA, self.forced
        )
        self.loss = elbo.loss.item()
        return self.predicted


class Rollout:
    """Prediction, a piece of the video a step; see `Training` for the arguments.

    Args:
        pieces: int, steps in which the video is predicted once.
    """

    def __init__(self, case, folder, loop, pieces=1):
        self.model = load_loop(loop).load_reference(folder / CHECKPOINT, norm="frame")
        first, poses = inputs.video(case)
        self.frame = channels_first(first[:, None])[:, 0]
        self.pieces = inputs.Pieces(channels_first(poses), pieces)
        self.latent_shape = (case.width_arguments()["latent_maps"], case.height, case.width)
        self.loss = None

    def warm_up(self):
        self._predict(self.pieces.poses[:, : min(self.pieces.length, 16) + 1])

    def step(self):
        # As published: the previous frame is all that is carried over; bounded, as ours has to be.
        prediction = self._predict(self.pieces.next())
        self.frame = prediction[:, -1].clamp(0, 1)
        return prediction.shape[0] * prediction.shape[1]

    def _predict(self, poses):
        with torch.no_grad():
            z = torch.randn(poses.shape[0], poses.shape[1] - 1, *self.latent_shape)
            return self.model.predict(self.frame, poses, z)


def channels_first(images):
    """(B, T, H, W, C), uint8 or floats, as a float32 tensor (B, T, C, H, W), uint8 scaled."""
    scale = 255 if images.dtype == np.uint8 else 1
    moved = np.ascontiguousarray(np.moveaxis(images, -1, 2), dtype="float32")
    return torch.from_numpy(moved / np.float32(scale))
