"""A model in use: its step of prediction and its posterior as models of their own."""

from typing import Any

import keras
import numpy as np

from keras_cvae.architectures.base import Architecture
from keras_cvae.backend.jit import set_jit_compile
from keras_cvae.backend.numpy_step import NumpyStep
from keras_cvae.backend.tensor import Tensor
from keras_cvae.images import to_unit
from keras_cvae.model.rollout import check_clip
from keras_cvae.predictor import INPUTS, Predictor, Step

INFERRED_AT_ONCE = 16  # frames


class FramePredictor(keras.Model):
    """One step of prediction: previous frame, pose and z give the next frame.

    Args:
        architecture: the networks of a `CVAE`, which it shares.

    Input: a dict of float32 `"previous_frame"` (B, H, W, 3), `"pose"` (B, H, W, 3) and `"z"`
    (B, *latent_shape). Output: (B, H, W, 3) float32.
    """

    def __init__(self, architecture: Architecture):
        super().__init__(autocast=False, name="frame_predictor")
        self.architecture = architecture
        set_jit_compile(self)
        self.built = True

    def call(self, inputs: dict[str, Tensor]) -> Tensor:
        pose = self.architecture.encode_poses(inputs["pose"][:, None])[:, 0]
        return self.architecture.step(inputs["previous_frame"], pose, inputs["z"])


class Posterior(keras.Model):
    """q(z | frame, pose).

    Args:
        architecture: the networks of a `CVAE`, which it shares.

    Input: a dict of float32 `"frames"` and `"poses"` (n, H, W, 3). Output: `(mu, logvar)`, each
    (n, *latent_shape) float32.
    """

    def __init__(self, architecture: Architecture):
        super().__init__(autocast=False, name="posterior")
        self.architecture = architecture
        set_jit_compile(self)
        self.built = True

    def call(self, inputs: dict[str, Tensor]) -> tuple[Tensor, Tensor]:
        pose = self.architecture.encode_poses(inputs["poses"][:, None])[:, 0]
        return self.architecture.infer(self.architecture.encode_frames(inputs["frames"]), pose)


class Prediction:
    """What a `CVAE` predicts with. No Keras object, so that its layers are not tracked twice.

    Args:
        architecture: the networks of the `CVAE`.

    Attributes:
        frame_predictor: `FramePredictor`.
    """

    def __init__(self, architecture: Architecture):
        self.architecture = architecture
        self.frame_predictor = FramePredictor(architecture)
        self._posterior = Posterior(architecture)
        self._step = NumpyStep(self.frame_predictor, INPUTS)

    def predictor(self, **details: Any) -> Predictor:
        """A `Predictor` on the networks; `details` are its further arguments."""
        return Predictor(self.step_for, self.architecture.latent_shape, **details)

    def step_for(self, shape: tuple, latent_shape: tuple) -> Step:
        """The step of prediction for frames of a shape (B, H, W, 3), see `Predictor`."""
        return self._step.for_shapes(shape, shape, (shape[0], *latent_shape))

    def infer_latents(self, frames: np.ndarray, poses: np.ndarray) -> tuple:
        """The posterior of every frame of one video; it sees the true frames.

        Args:
            frames: (T, H, W, 3), uint8 or floats in [0, 1].
            poses: the same shape.

        Returns:
            `(mu, logvar)`, float32 arrays (T-1, *latent_shape) of frames 1..T-1.

        Raises:
            UserError: for wrong shapes, number types or ranges.
        """
        frames, poses = to_unit(frames, "frames"), to_unit(poses, "poses")
        check_clip((1, *frames.shape), (1, *poses.shape))
        self.architecture.check_frame_size(frames.shape[1:3])
        inputs = {"frames": frames[1:], "poses": poses[1:]}
        return self._posterior.predict(inputs, batch_size=INFERRED_AT_ONCE, verbose=0)
