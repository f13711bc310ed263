"""The model in use: whole videos from one frame each."""

import numpy as np

from keras_cvae.model.prediction import (
    FramePredictor,
    check_temperature,
    checked_videos,
    stream_video,
    unit_array,
)


class VideoPrediction:
    """How `CVAE` predicts videos: a mixin that reads the model's networks and temperature."""

    def make_predictor(self, output):
        """Makes the step of prediction of the networks that the model has.

        Args:
            output: the bound of the output.
        """
        self._predictor = _Untracked(FramePredictor(self.architecture, output))

    def stream_video(self, first_frames, poses, temperature=None, seed=None):
        """Yields the predicted frames 1..T-1 one at a time; see `predict_video`."""
        first_frames, poses = checked_videos(first_frames, poses)
        self.architecture.check_frame_size(first_frames.shape[1:3])
        temperature = self.temperature if temperature is None else temperature
        check_temperature(temperature)
        latent_shape = self.latent_shape(first_frames.shape[1:3])
        return stream_video(
            self._predictor.model, first_frames, poses, latent_shape, temperature, seed
        )

    def predict_video(self, first_frames, poses, temperature=None, seed=None):
        """Predicts whole videos from one frame each, with z from the prior: no true frame is seen.

        Args:
            first_frames: (B, H, W, 3), or (H, W, 3) for one video; uint8 or floats in [0, 1].
            poses: (B, T, H, W, 3), or (T, H, W, 3); pose 0 belongs to the given frame.
            temperature: float >= 0, scale of the prior noise; `None` takes the model's own.
            seed: int, of the noise; the same on every backend. `None` draws fresh noise.

        Returns:
            float32 array (B, T, H, W, 3), or (T, H, W, 3): frame 0 is the given one.

        Raises:
            ValueError: for wrong shapes or number types, or a negative temperature.
        """
        first_frames, poses = np.asarray(first_frames), np.asarray(poses)
        if first_frames.ndim == 3:
            return self.predict_video(first_frames[None], poses[None], temperature, seed)[0]
        stream = self.stream_video(first_frames, poses, temperature, seed)
        video = np.empty(poses.shape, "float32")
        video[:, 0] = unit_array(first_frames)
        for t, frame in enumerate(stream, start=1):
            video[:, t] = frame
        return video


class _Untracked:
    """Holds a model that shares this one's layers, out of sight of Keras' tracking of layers."""

    def __init__(self, model):
        self.model = model
