"""A model in use: its step of prediction and its posterior as models of their own."""

from collections.abc import Callable
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
from keras_cvae.losses import gaussian_kl
from keras_cvae.model.frame_loops import one_by_one
from keras_cvae.model.rollout import check_clip
from keras_cvae.predictor import Piece, Predictor, Step, input_names

INFERRED_AT_ONCE = 16  # frames


class Part(keras.Model):
    """A function of a `CVAE`'s networks as a model of its own, which Keras compiles and exports.

    Args:
        architecture: the networks, which it shares.
        name: of the model.
    """

    predict_function: Any  # set by Keras

    def __init__(self, architecture: Architecture, name: str):
        # Its layers have their own precision; Keras' global one would change it.
        super().__init__(autocast=False, dtype="float32", name=name)
        self.architecture = architecture
        set_jit_compile(self)
        self.built = True

    def make_predict_function(self, force: bool = False) -> Any:
        """Keras' hook before prediction: it runs once, not on each device that trains."""
        if keras.backend.backend() != "tensorflow":
            return super().make_predict_function(force)
        from keras_cvae.backend.replicas_tensorflow import predicted_once

        if self.predict_function is None or force:
            self.predict_function = predicted_once(self.predict_step)
        return self.predict_function


class FramePredictor(Part):
    """One step of prediction: previous frame, pose and noise give the next frame.

    Args:
        architecture: the networks of a `CVAE`, which it shares.
        step: `architecture.sampled_step`, or `architecture.step` for latents in place of the noise.

    Attributes:
        input_names: see `keras_cvae.predictor.input_names`.

    Input: a dict of float32 arrays by these names, of the shapes (B, H, W, 3), (B, H, W, 3) and
    (B, *latent_shape). Output: (B, H, W, 3) float32.
    """

    def __init__(self, architecture: Architecture, step: Callable[..., Tensor]):
        super().__init__(architecture, "frame_predictor")
        self.input_names = input_names(architecture.prior)
        self._step = step

    def call(self, inputs: dict[str, Tensor]) -> Tensor:
        previous, pose, noise = (inputs[name] for name in self.input_names)
        pose = self.architecture.encode_poses(pose[:, None])[:, 0]
        return self._step(previous, pose, noise)


class PiecePredictor(Part):
    """Steps of prediction one after another, for poses that are known.

    Args:
        architecture: the networks of a `CVAE`, which it shares.
        own_step: a step of it without gradients.

    Input: a dict of `"previous_frame"` (B, H, W, 3) float32, `"poses"` (B, n, H, W, 3) uint8 or
    float32, and `"noise"` (B, n, *latent_shape) float32, what the step takes. Output:
    (B, n, H, W, 3) float32.
    """

    def __init__(self, architecture: Architecture, own_step: OwnStep):
        super().__init__(architecture, "piece_predictor")
        self._own_step = own_step

    def call(self, inputs: dict[str, Tensor]) -> Tensor:
        frame, noise = inputs["previous_frame"], inputs["noise"]
        pose_features = self.architecture.encode_poses(tensor_to_unit(inputs["poses"], "poses"))
        step = self._own_step.for_inputs(frame, pose_features[:, 0], noise[:, 0])
        return one_by_one(step, frame, pose_features, noise)


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


class LatentComparison(Part):
    """Posterior and prior of single frames.

    Args:
        architecture: the networks of a `CVAE`, which it shares.

    Input: a dict of float32 `"frames"`, `"previous_frames"` and `"poses"` (n, H, W, 3). Output:
    `(shift, kl)`, float32: the posterior's mean minus the prior's, (n, *latent_shape), and
    KL(q || p) in nats, (n,).
    """

    def __init__(self, architecture: Architecture):
        super().__init__(architecture, "latent_comparison")

    def call(self, inputs: dict[str, Tensor]) -> tuple[Tensor, Tensor]:
        networks = self.architecture
        pose = networks.encode_poses(inputs["poses"][:, None])[:, 0]
        posterior = networks.infer(networks.encode_frames(inputs["frames"]), pose)
        prior = networks.expect(networks.encode_frames(inputs["previous_frames"]), pose)
        # The frames as clips of one frame each.
        mu, logvar, *parameters = (each[:, None] for each in (*posterior, *(prior or ())))
        kl = gaussian_kl(mu, logvar, "sum", tuple(parameters) or None)[:, 0]
        return (mu - parameters[0] if parameters else mu)[:, 0], kl


class _Runtime:
    """`step_for` and `piece_for` of a `Predictor`, around one kind of step."""

    def __init__(self, architecture: Architecture, step: Callable[..., Tensor]):
        self.frame_predictor = FramePredictor(architecture, step)
        self._step = NumpyStep(self.frame_predictor, self.frame_predictor.input_names)
        own_step = OwnStep(step, architecture.variables)
        # One for each shape: Keras on TensorFlow would trace the second with unknown sizes.
        self._pieces_of = lru_cache(SHAPES_KEPT)(
            lambda shape: PiecePredictor(architecture, own_step)
        )

    def step_for(self, shape: tuple, latent_shape: tuple) -> Step:
        return self._step.for_shapes(shape, shape, (shape[0], *latent_shape))

    def piece_for(self, shape: tuple, latent_shape: tuple) -> Piece:
        def piece(frame: np.ndarray, poses: np.ndarray, noise: np.ndarray) -> np.ndarray:
            count = poses.shape[1]
            more = compiled_length(count) - count
            poses, noise = (
                np.concatenate([x, x[:, -1:].repeat(more, axis=1)], 1) for x in (poses, noise)
            )
            inputs = {"previous_frame": frame, "poses": poses, "noise": noise}
            return self._pieces_of(poses.shape).predict_on_batch(inputs)[:, :count]

        return piece


class Prediction:
    """What a `CVAE` predicts with. No Keras object, so that its layers are not tracked twice.

    Args:
        architecture: the networks of the `CVAE`.

    Attributes:
        frame_predictor: `FramePredictor` with z from the prior.
    """

    def __init__(self, architecture: Architecture):
        self.architecture = architecture
        self._sampled = _Runtime(architecture, architecture.sampled_step)
        self.frame_predictor = self._sampled.frame_predictor
        # Latents that are given go to another step, if the prior is not N(0, I).
        self._given = None
        if architecture.prior != "standard":
            self._given = _Runtime(architecture, architecture.step)
        self._posterior = Posterior(architecture)
        self._comparison = LatentComparison(architecture)

    def predictor(self, **details: Any) -> Predictor:
        """A `Predictor` on the networks; `details` are its further arguments."""
        sampled, given = self._sampled, self._given
        return Predictor(
            sampled.step_for,
            self.architecture.latent_shape,
            piece_for=sampled.piece_for,
            prior=self.architecture.prior,
            for_latents=None if given is None else (given.step_for, given.piece_for),
            **details,
        )

    def step_for(self, shape: tuple, latent_shape: tuple) -> Step:
        """The step of prediction for frames of a shape (B, H, W, 3), see `Predictor`."""
        return self._sampled.step_for(shape, latent_shape)

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
        frames, poses = self._checked(frames, poses)
        inputs = {"frames": frames[1:], "poses": poses[1:]}
        return _in_groups(self._posterior, inputs)

    def compare_to_prior(self, frames: np.ndarray, poses: np.ndarray) -> tuple:
        """What the posterior of every frame of one video adds to the prior.

        The prior `"learned"` sees the true frame before.

        Args:
            frames: (T, H, W, 3), uint8 or floats in [0, 1].
            poses: the same shape.

        Returns:
            `(shift, kl)`, float32 arrays of frames 1..T-1: the posterior's mean minus the prior's,
            (T-1, *latent_shape), and KL(q || p) in nats, summed over the latent, (T-1,).

        Raises:
            UserError: for wrong shapes, number types or ranges.
        """
        frames, poses = self._checked(frames, poses)
        inputs = {"frames": frames[1:], "previous_frames": frames[:-1], "poses": poses[1:]}
        return _in_groups(self._comparison, inputs)

    def _checked(self, frames: np.ndarray, poses: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        frames, poses = to_unit(frames, "frames"), to_unit(poses, "poses")
        check_clip((1, *frames.shape), (1, *poses.shape))
        self.architecture.check_frame_size(frames.shape[1:3])
        return frames, poses


def _in_groups(part: Part, inputs: dict[str, np.ndarray]) -> tuple[np.ndarray, ...]:
    """What a part gives for many frames, some at a time.

    Not by Keras' `predict`, which divides each group among the devices that train.
    """
    count = len(inputs["frames"])
    groups = []
    for start in range(0, count, INFERRED_AT_ONCE):
        group = {name: x[start : start + INFERRED_AT_ONCE] for name, x in inputs.items()}
        groups.append(part.predict_on_batch(group))
    return tuple(np.concatenate(each) for each in zip(*groups, strict=True))
