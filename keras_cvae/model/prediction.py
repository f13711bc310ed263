"""A model in use: its step of prediction and its posterior as models of their own."""

from functools import lru_cache
from typing import Any

import keras
import numpy as np

from keras_cvae.architectures.base import Architecture
from keras_cvae.backend.jit import set_jit_compile
from keras_cvae.backend.loops import compiled_length
from keras_cvae.backend.numpy_step import NumpyStep
from keras_cvae.backend.own_step import SHAPES_KEPT, OwnStep
from keras_cvae.backend.tensor import Tensor
from keras_cvae.images import tensor_to_unit, to_unit
from keras_cvae.model.rollout import check_clip, one_by_one
from keras_cvae.predictor import INPUTS, Piece, Predictor, Step

INFERRED_AT_ONCE = 16  # frames


class Part(keras.Model):
    """A function of a `CVAE`'s networks as a model of its own, which Keras compiles and exports.

    Args:
        architecture: the networks, which it shares.
        name: of the model.
    """

    def __init__(self, architecture: Architecture, name: str):
        # Its layers have their own precision; Keras' global one would change it.
        super().__init__(autocast=False, dtype="float32", name=name)
        self.architecture = architecture
        set_jit_compile(self)
        self.built = True


class FramePredictor(Part):
    """One step of prediction: previous frame, pose and z give the next frame.

    Args:
        architecture: the networks of a `CVAE`, which it shares.

    Input: a dict of float32 `"previous_frame"` (B, H, W, 3), `"pose"` (B, H, W, 3) and `"z"`
    (B, *latent_shape). Output: (B, H, W, 3) float32.
    """

    def __init__(self, architecture: Architecture):
        super().__init__(architecture, "frame_predictor")

    def call(self, inputs: dict[str, Tensor]) -> Tensor:
        pose = self.architecture.encode_poses(inputs["pose"][:, None])[:, 0]
        return self.architecture.step(inputs["previous_frame"], pose, inputs["z"])


class PiecePredictor(Part):
    """Steps of prediction one after another, for poses that are known.

    Args:
        architecture: the networks of a `CVAE`, which it shares.
        own_step: its step without gradients.

    Input: a dict of `"previous_frame"` (B, H, W, 3) float32, `"poses"` (B, n, H, W, 3) uint8 or
    float32, and `"z"` (B, n, *latent_shape) float32. Output: (B, n, H, W, 3) float32.
    """

    def __init__(self, architecture: Architecture, own_step: OwnStep):
        super().__init__(architecture, "piece_predictor")
        self._own_step = own_step

    def call(self, inputs: dict[str, Tensor]) -> Tensor:
        frame, z = inputs["previous_frame"], inputs["z"]
        pose_features = self.architecture.encode_poses(tensor_to_unit(inputs["poses"], "poses"))
        step = self._own_step.for_inputs(frame, pose_features[:, 0], z[:, 0])
        return one_by_one(step, frame, pose_features, z)


class Posterior(Part):
    """q(z | frame, pose).

    Args:
        architecture: the networks of a `CVAE`, which it shares.

    Input: a dict of float32 `"frames"` and `"poses"` (n, H, W, 3). Output: `(mu, logvar)`, each
    (n, *latent_shape) float32.
    """

    def __init__(self, architecture: Architecture):
        super().__init__(architecture, "posterior")

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
        self._own_step = OwnStep(architecture.step, architecture.variables)
        # One for each shape: Keras on TensorFlow would trace the second with unknown sizes.
        self._pieces_of = lru_cache(SHAPES_KEPT)(
            lambda shape: PiecePredictor(architecture, self._own_step)
        )
        self._posterior = Posterior(architecture)
        self._step = NumpyStep(self.frame_predictor, INPUTS)

    def predictor(self, **details: Any) -> Predictor:
        """A `Predictor` on the networks; `details` are its further arguments."""
        latent_shape = self.architecture.latent_shape
        return Predictor(self.step_for, latent_shape, piece_for=self.piece_for, **details)

    def step_for(self, shape: tuple, latent_shape: tuple) -> Step:
        """The step of prediction for frames of a shape (B, H, W, 3), see `Predictor`."""
        return self._step.for_shapes(shape, shape, (shape[0], *latent_shape))

    def piece_for(self, shape: tuple, latent_shape: tuple) -> Piece:
        """Several steps for frames of a shape (B, H, W, 3), see `Predictor`."""

        def piece(frame: np.ndarray, poses: np.ndarray, z: np.ndarray) -> np.ndarray:
            count = poses.shape[1]
            more = compiled_length(count) - count
            poses, z = (np.concatenate([x, x[:, -1:].repeat(more, axis=1)], 1) for x in (poses, z))
            inputs = {"previous_frame": frame, "poses": poses, "z": z}
            return self._pieces_of(poses.shape).predict_on_batch(inputs)[:, :count]

        return piece

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
