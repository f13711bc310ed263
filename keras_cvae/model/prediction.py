"""Video from one frame: one prediction step as a model of its own, and the loop over poses."""

import math

import keras
import numpy as np
from keras import ops

from keras_cvae.model.rollout import bound_output

INPUTS = ("previous_frame", "pose", "z")
_ROUNDING = 1e-3  # how far outside [0, 1] floats may lie


class FramePredictor(keras.Model):
    """One step of prediction: previous frame, pose and z give the next frame.

    It shares the networks of a `CVAE`, has no random state, and is compiled by Keras as any model.

    Args:
        architecture: the `CVAE`'s networks.
        output: the `CVAE`'s output bound.

    Input: a dict of float32 `"previous_frame"` (B, H, W, 3), `"pose"` (B, H, W, 3) and `"z"`
    (B, *latent_shape). Output: (B, H, W, 3) float32.
    """

    def __init__(self, architecture, output):
        super().__init__(autocast=False, name="frame_predictor")
        self.architecture = architecture
        self.output_bound = output
        if keras.backend.backend() == "tensorflow":
            self.jit_compile = False  # XLA's start costs more than it saves here
        self.built = True
        self._recorded = None

    def call(self, inputs):
        networks = self.architecture
        features = networks.encode_frames(inputs["previous_frame"])
        pose = networks.encode_poses(ops.expand_dims(inputs["pose"], 1))[:, 0]
        return bound_output(networks.decode(features, pose, inputs["z"]), self.output_bound)

    def step_for(self, shape, latent_shape):
        """The step as a function of NumPy arrays, as fast as the backend can have it.

        The weights are those at this moment: ask for it again when they have changed.

        Args:
            shape: (B, H, W, 3) of the frames.
            latent_shape: shape of one frame's z.

        Returns:
            A function (previous_frame, pose, z) -> next frame, all float32 arrays.
        """
        if keras.backend.backend() != "torch":
            return lambda *arrays: self.predict_on_batch(dict(zip(INPUTS, arrays, strict=True)))
        from keras_cvae.native.torch_graph import RecordedStep

        if self._recorded is None or self._recorded[0] != shape:
            shapes = (shape, shape, (shape[0], *latent_shape))
            example = [ops.zeros(each, "float32") for each in shapes]
            step = RecordedStep(
                lambda *x: self(dict(zip(INPUTS, x, strict=True))), self.variables, example
            )
            self._recorded = (shape, step)
        step = self._recorded[1]
        step.refresh()

        def predict(*arrays):
            return ops.convert_to_numpy(step(*map(ops.convert_to_tensor, arrays)))

        return predict


def stream_video(predictor, first_frames, poses, latent_shape, temperature, seed=None, z=None):
    """Predicts frame after frame, each from the prediction before it, with z from the prior.

    z_t = temperature * eps, eps ~ N(0, I), is drawn by NumPy: a seed gives the same noise on every
    backend, and frame t the same whatever the number of frames. Memory does not grow with the
    number of frames.

    Args:
        predictor: `FramePredictor`.
        first_frames: (B, H, W, 3) float32 in [0, 1], the given frames.
        poses: (B, T, H, W, 3), uint8 or floats in [0, 1]; pose 0 belongs to the given frame.
        latent_shape: shape of one frame's z.
        temperature: float >= 0.
        seed: int or `None` for fresh noise.
        z: (B, T-1, *latent_shape) float32 latents to take instead, or `None`.

    Yields:
        (B, H, W, 3) float32 arrays: frames 1..T-1.
    """
    generator = np.random.default_rng(seed)
    noise_shape = (len(first_frames), *latent_shape)
    frame = first_frames
    step = predictor.step_for(first_frames.shape, latent_shape)
    for t in range(1, poses.shape[1]):
        # With temperature 0 no noise is needed, and none is drawn.
        latent = np.zeros(noise_shape, "float32") if z is None else z[:, t - 1]
        if temperature > 0 and z is None:
            latent = generator.standard_normal(noise_shape, "float32") * np.float32(temperature)
        frame = step(frame, unit_array(poses[:, t]), latent)
        yield frame


def unit_array(images, what="poses"):
    """NumPy images as float32 in [0, 1]: uint8 scaled by 1/255, floats as they are.

    Args:
        images: array-like, uint8 or floating.
        what: str, how an error names them.

    Returns:
        float32 array.

    Raises:
        ValueError: for any other type of number, or floats outside [0, 1] by more than rounding.
    """
    images = np.asarray(images)
    if images.dtype == np.uint8:
        return images.astype("float32") / np.float32(255)
    if not np.issubdtype(images.dtype, np.floating):
        raise ValueError(
            f"{what} must be uint8 (0..255) or floating point (0..1); got {images.dtype}."
        )
    low, high = images.min(initial=0), images.max(initial=1)
    if not (low >= -_ROUNDING and high <= 1 + _ROUNDING):  # written so that NaN fails too
        raise ValueError(
            f"{what}: floats must lie in [0, 1]; got values from {low:g} to {high:g}. "
            "Divide by 255, pass uint8, or clip them."
        )
    return images.astype("float32")


def checked_videos(first_frames, poses):
    """The first frames as float32 and the poses as they are, if their shapes fit.

    Raises:
        ValueError: if they are not (B, H, W, 3) and (B, T, H, W, 3), or of another number type.
    """
    first_frames, poses = unit_array(first_frames, "first_frames"), np.asarray(poses)
    if first_frames.ndim != 4 or first_frames.shape[-1] != 3:
        raise ValueError(
            "first_frames must be (B, H, W, 3), or (H, W, 3) for one video; "
            f"got {first_frames.shape}."
        )
    expected = (len(first_frames), *first_frames.shape[1:])
    if poses.ndim != 5 or (poses.shape[0], *poses.shape[2:]) != expected or not poses.shape[1]:
        raise ValueError(
            f"poses must be (B, T, H, W, 3) like first_frames {first_frames.shape} with T >= 1;"
            f" got {poses.shape}."
        )
    unit_array(poses[:, :1])  # a wrong type is to fail before the first prediction
    return first_frames, poses


def check_temperature(temperature):
    if not 0 <= temperature < math.inf:
        raise ValueError(f"temperature must be finite and at least 0; got {temperature}.")
