"""A trained model in use, the same for every format."""

import numpy as np

from keras_cvae.streaming import (
    check_temperature,
    checked_videos,
    stream_frames,
    unit_array,
    whole_video,
)


class Predictor:
    """Predicts videos from one frame each; `keras_cvae.inference.load_predictor` makes it.

    Args:
        step_for: function (shape of the frames (B, H, W, 3), shape of one frame's z) -> function
            (previous_frame, pose, z) -> next frame, all float32 arrays.
        latent_shape: function (height, width) -> shape of one frame's z. Raises a `ValueError` for
            sizes that the model cannot have.
        frame_size: (height, width) of the frames that the model was trained for, or `None` where
            that is not known.
        temperature: float, the prior noise that the model was trained for.
        manifest: dict, what else is known; empty where there is no manifest.

    Attributes:
        step_for, frame_size, temperature, manifest: as given.

    Example:

    ```python
    predictor = keras_cvae.inference.load_predictor("dancer.onnx")
    video = predictor.predict_video(first_frame, poses)
    ```
    """

    def __init__(self, step_for, latent_shape, frame_size=None, temperature=0.0, manifest=None):
        self.step_for = step_for
        self._latent_shape = latent_shape
        self.frame_size = tuple(frame_size) if frame_size else None
        self.temperature = temperature
        self.manifest = manifest or {}

    def predict_video(self, first_frame, poses, temperature=0, seed=0):
        """Predicts a whole video from its first frame, with z from the prior.

        Args:
            first_frame: (H, W, 3), uint8 or floats in [0, 1]; or (B, H, W, 3) for B videos at once.
            poses: (T, H, W, 3), or (B, T, H, W, 3); pose 0 belongs to the given frame.
            temperature: float >= 0, scale of the prior noise; 0 is the most accurate, `None` the
                model's own, `predictor.temperature`.
            seed: int, of the noise, the same in every format; `None` draws fresh noise.

        Returns:
            float32 array of the poses' shape, in [0, 1]: frame 0 is the given one.

        Raises:
            ValueError: for wrong shapes or number types, or a negative temperature.
        """
        first_frame, poses = np.asarray(first_frame), np.asarray(poses)
        if first_frame.ndim == 3:
            return self.predict_video(first_frame[None], poses[None], temperature, seed)[0]
        first_frame, poses = checked_videos(first_frame, poses)
        after_the_first = (poses[:, t] for t in range(1, poses.shape[1]))
        frames = self._stream(first_frame, after_the_first, temperature, seed)
        return whole_video(first_frame, frames, poses.shape[1])

    def stream(self, first_frame, poses, temperature=0, seed=0):
        """Yields each frame as soon as its pose is there.

        Args:
            first_frame: (H, W, 3), uint8 or floats in [0, 1].
            poses: iterable of (H, W, 3) pose images, such as a camera's; the first one belongs to
                the given frame, as in `predict_video`.
            temperature, seed: as for `predict_video`.

        Yields:
            (H, W, 3) float32 arrays: frame t after pose t was read, from t = 1 on.

        Raises:
            ValueError: for a wrong shape or number type, or a negative temperature.
        """
        first_frame = unit_array(first_frame, "first_frame")
        if first_frame.ndim != 3 or first_frame.shape[-1] != 3:
            raise ValueError(f"first_frame must be (H, W, 3); got {first_frame.shape}.")

        def arriving():
            for number, pose in enumerate(poses):
                pose = np.asarray(pose)
                if pose.shape != first_frame.shape:
                    raise ValueError(
                        f"Pose {number} must be {first_frame.shape} like the first frame; got "
                        f"{pose.shape}."
                    )
                if number > 0:
                    yield pose[None]

        frames = self._stream(first_frame[None], arriving(), temperature, seed)
        return (frame[0] for frame in frames)

    def _stream(self, first_frames, poses, temperature, seed):
        temperature = self.temperature if temperature is None else temperature
        check_temperature(temperature)
        latent_shape = tuple(self._latent_shape(first_frames.shape[1:3]))
        step = self.step_for(first_frames.shape, latent_shape)
        return stream_frames(step, first_frames, poses, latent_shape, temperature, seed)
