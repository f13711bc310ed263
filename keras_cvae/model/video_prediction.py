"""The model in use: whole videos from one frame each."""

import numpy as np

from keras_cvae.model.inference import INFERRED_AT_ONCE, Inference
from keras_cvae.model.prediction import FramePredictor
from keras_cvae.model.rollout import check_clip
from keras_cvae.streaming import (
    check_temperature,
    checked_videos,
    stream_frames,
    unit_array,
    whole_video,
)


class VideoPrediction:
    """How `CVAE` predicts videos: a mixin that reads the model's networks and temperature."""

    def make_predictor(self, output, logvar_bound):
        """Makes the step of prediction, and inference, of the networks that the model has.

        Args:
            output, logvar_bound: the bounds of the output and of the log-variance.
        """
        self._predictor = _Untracked(FramePredictor(self.architecture, output))
        self._inference = _Untracked(Inference(self.architecture, logvar_bound))

    def step_for(self, shape, latent_shape):
        """The step of prediction for frames of a shape; see `FramePredictor.step_for`."""
        return self._predictor.model.step_for(shape, latent_shape)

    def infer_latents(self, frames, poses):
        """The posterior of every frame of one video, which is to say of true frames.

        Args:
            frames: (T, H, W, 3), uint8 or floats in [0, 1].
            poses: the same shape.

        Returns:
            `(mu, logvar)`, float32 arrays (T-1, *latent_shape) of frames 1..T-1.
        """
        frames, poses = unit_array(frames, "frames"), unit_array(poses)
        check_clip((1, *frames.shape), (1, *poses.shape))
        self.architecture.check_frame_size(frames.shape[1:3])
        inputs = {"frames": frames[1:], "poses": poses[1:]}
        return self._inference.model.predict(inputs, batch_size=INFERRED_AT_ONCE, verbose=0)

    def stream_video(self, first_frames, poses, temperature=None, seed=None, z=None):
        """Yields the predicted frames 1..T-1 one at a time; see `predict_video`."""
        first_frames, poses = checked_videos(first_frames, poses)
        temperature = self.temperature if temperature is None else temperature
        check_temperature(temperature)
        latent_shape = self.latent_shape(first_frames.shape[1:3])
        if z is not None:
            z = np.asarray(z, "float32")
            expected = (len(poses), poses.shape[1] - 1, *latent_shape)
            if z.shape != expected:
                raise ValueError(f"z must be {expected} for these poses; got {z.shape}.")
            z = np.swapaxes(z, 0, 1)
        step = self.step_for(first_frames.shape, latent_shape)
        after_the_first = (poses[:, t] for t in range(1, poses.shape[1]))
        return stream_frames(
            step, first_frames, after_the_first, latent_shape, temperature, seed, z
        )

    def predict_video(self, first_frames, poses, temperature=None, seed=None, z=None):
        """Predicts whole videos from one frame each, with z from the prior: no true frame is seen.

        Args:
            first_frames: (B, H, W, 3), or (H, W, 3) for one video; uint8 or floats in [0, 1].
            poses: (B, T, H, W, 3), or (T, H, W, 3); pose 0 belongs to the given frame.
            temperature: float >= 0, scale of the prior noise; `None` takes the model's own.
            seed: int, of the noise; the same on every backend. `None` draws fresh noise.
            z: (B, T-1, *latent_shape) latents of frames 1..T-1 in place of the prior's, or without
                B for one video; `infer_latents` gives those of true frames.

        Returns:
            float32 array (B, T, H, W, 3), or (T, H, W, 3): frame 0 is the given one.

        Raises:
            ValueError: for wrong shapes or number types, or a negative temperature.
        """
        first_frames, poses = np.asarray(first_frames), np.asarray(poses)
        if first_frames.ndim == 3:
            z = None if z is None else np.asarray(z)[None]
            return self.predict_video(first_frames[None], poses[None], temperature, seed, z)[0]
        stream = self.stream_video(first_frames, poses, temperature, seed, z)
        return whole_video(first_frames, stream, poses.shape[1])


class _Untracked:
    """Holds a model that shares this one's layers, out of sight of Keras' tracking of layers."""

    def __init__(self, model):
        self.model = model
