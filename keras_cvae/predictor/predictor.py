"""The loop over poses around one step of prediction, in NumPy, for every runtime."""

from collections.abc import Callable, Iterable, Iterator
from typing import Any

import numpy as np

from keras_cvae.errors import UserError
from keras_cvae.images import check_finite, check_range, to_unit
from keras_cvae.predictor.loops import (
    Piece,
    Step,
    check_temperature,
    each_frame,
    frames,
    pieces,
    prior_noise,
    stepwise,
)


class Predictor:
    """Predicts videos from one frame each, with any runtime.

    `keras_cvae.inference.load_predictor` makes it from a file, `CVAE` from itself. z comes from the
    prior: from N(0, I) it is temperature * eps, eps ~ N(0, I), sampled by NumPy. With another prior
    the step takes this noise, and makes z of it: mean + standard deviation * temperature * eps. So
    a seed gives the same noise on every runtime, and frame t does not depend on the number of
    frames. Memory does not grow with the number of frames.

    Args:
        step_for: function (shape of the frames (B, H, W, 3), shape of one frame's z) -> function
            (previous_frame, pose, noise) -> next frame, all float32 arrays; the noise has the shape
            of z.
        latent_shape: function (height, width) -> shape of one frame's z. It raises a `UserError`
            for sizes that the model cannot have.
        frame_size: (height, width) of the frames that the model was trained for, or `None` where
            that is not known.
        temperature: float >= 0, the stored scale of the prior noise.
        manifest: dict, what else is known; empty where there is no manifest.
        piece_for: like `step_for`, for several frames: a function (previous_frame, poses, noise) ->
            the next n frames (B, n, H, W, 3), of float32 arrays and poses (B, n, H, W, 3) that are
            uint8 or float32; `None` where there is only the step.
        prior: `"standard"`, where z is the noise, or another one, see `CVAE`.
        for_latents: `(step_for, piece_for)` that take z in place of the noise, for a prior that is
            not standard; `None` where there is none, as in an exported model.
        poses: what draws the pose images, see `CVAE`; `None` where it is not known.

    Attributes:
        step_for, frame_size, temperature, manifest, prior, poses: as given.

    Example:

    ```python
    predictor = keras_cvae.inference.load_predictor("dancer.onnx")
    video = predictor.predict_video(first_frame, poses)
    ```
    """

    def __init__(
        self,
        step_for: Callable[[tuple, tuple], Step],
        latent_shape: Callable[[tuple], Iterable[int]],
        frame_size: Iterable[int] | None = None,
        temperature: float = 0.0,
        manifest: dict | None = None,
        piece_for: Callable[[tuple, tuple], Piece] | None = None,
        prior: str = "standard",
        for_latents: tuple[Callable, Callable] | None = None,
        poses: str | None = None,
    ):
        self.step_for = step_for
        self._latent_shape = latent_shape
        self._for_noise = step_for, piece_for or stepwise(step_for)
        self._for_latents = self._for_noise if prior == "standard" else for_latents
        self.prior = prior
        self.frame_size = tuple(frame_size) if frame_size else None
        self.temperature = temperature
        self.manifest = manifest or {}
        self.poses = poses

    def latent_shape(self, frame_size: tuple) -> tuple:
        """The shape of one frame's z.

        Args:
            frame_size: (height, width).

        Raises:
            UserError: for a size that the model cannot have.
        """
        return tuple(self._latent_shape(frame_size))

    def predict_video(
        self,
        first_frames: np.ndarray,
        poses: np.ndarray,
        temperature: float | None = None,
        seed: int | None = None,
        z: np.ndarray | None = None,
    ) -> np.ndarray:
        """Predicts whole videos from one frame each. No true frame but the first is seen.

        Args:
            first_frames: (B, H, W, 3), or (H, W, 3) for one video; uint8 or floats in [0, 1].
            poses: (B, T, H, W, 3), or (T, H, W, 3); pose 0 belongs to the given frame.
            temperature: float >= 0, scale of the prior noise; `None` takes the stored one.
            seed: int >= 0, of the noise; `None` samples fresh noise.
            z: (B, T-1, *latent_shape) latents of frames 1..T-1 in place of the prior's, or without
                B for one video. Exported models whose prior is not standard take none.

        Returns:
            float32 array (B, T, H, W, 3), or (T, H, W, 3): frame 0 is the given one.

        Raises:
            UserError: for wrong shapes, number types or ranges, or a prediction that is not finite.
        """
        first_frames, poses = np.asarray(first_frames), np.asarray(poses)
        if first_frames.ndim == 3:
            z = None if z is None else np.asarray(z)[None]
            return self.predict_video(first_frames[None], poses[None], temperature, seed, z)[0]
        predicted = self.predict_pieces(first_frames, poses, temperature, seed, z)
        video = np.empty(poses.shape, "float32")
        video[:, 0] = to_unit(first_frames, "first_frames")
        for t, frame in enumerate(each_frame(predicted), start=1):
            check_finite(frame, f"The prediction, frame {t},")
            video[:, t] = frame
        return video

    def predict_pieces(
        self,
        first_frames: np.ndarray,
        poses: np.ndarray,
        temperature: float | None = None,
        seed: int | None = None,
        z: np.ndarray | None = None,
    ) -> Iterator[np.ndarray]:
        """Yields the predicted frames 1..T-1 of whole videos some at a time, finite or not.

        A `CVAE` is faster so than by `stream_video`: it encodes poses together, and its frames stay
        on the device. Other runtimes go step by step.

        Args:
            first_frames, poses, temperature, seed, z: as for `predict_video`, with B.

        Yields:
            (B, n, H, W, 3) float32 arrays of at most 64 frames each, fewer for large images.

        Raises:
            UserError: for wrong shapes, number types or ranges.
        """
        first_frames, poses, z = self._checked_video(first_frames, poses, z)
        frame, noise, shape = self._beginning(first_frames, temperature, seed, z)
        _, piece_for = self._taking(z)
        return pieces(piece_for(shape, self.latent_shape(shape[1:3])), frame, poses, noise)

    def stream_video(
        self,
        first_frames: np.ndarray,
        poses: np.ndarray,
        temperature: float | None = None,
        seed: int | None = None,
        z: np.ndarray | None = None,
    ) -> Iterator[np.ndarray]:
        """Yields the predicted frames 1..T-1 of whole videos one at a time, finite or not.

        Args:
            first_frames, poses, temperature, seed, z: as for `predict_video`, with B.

        Yields:
            (B, H, W, 3) float32 arrays.

        Raises:
            UserError: for wrong shapes, number types or ranges.
        """
        first_frames, poses, z = self._checked_video(first_frames, poses, z)
        each = (poses[:, t] for t in range(poses.shape[1]))
        return self.stream(first_frames, each, temperature, seed, z)

    def stream(
        self,
        first_frames: np.ndarray,
        poses: Iterable[np.ndarray],
        temperature: float | None = None,
        seed: int | None = None,
        z: Iterable[np.ndarray] | None = None,
    ) -> Iterator[np.ndarray]:
        """Yields each frame as soon as its pose is there, such as a camera's.

        Args:
            first_frames: (H, W, 3), or (B, H, W, 3); uint8 or floats in [0, 1].
            poses: iterable of pose images of the shape of `first_frames`; pose 0 belongs to the
                given frame and is read first.
            temperature, seed: as for `predict_video`.
            z: iterable of latents of frames 1, 2, ... in place of the prior's, or `None`.

        Yields:
            float32 arrays of the shape of `first_frames`: frame t after pose t was read, from
            t = 1 on.

        Raises:
            UserError: for a wrong shape, number type or range, or a negative temperature.
        """
        frame, noise, shape = self._beginning(first_frames, temperature, seed, z)
        step_for, _ = self._taking(z)
        step = step_for(shape, self.latent_shape(shape[1:3]))
        return frames(step, frame, poses, noise, shape)

    def _taking(self, z: Any) -> tuple[Callable, Callable]:
        """`(step_for, piece_for)` that take noise, or the given latents."""
        if z is None:
            return self._for_noise
        if self._for_latents is None:
            raise UserError(
                f"z was given, but this exported model makes z of noise inside, by its prior "
                f"({self.prior}). Leave z out, or load the .keras file or the run folder."
            )
        return self._for_latents

    def _checked_video(self, first_frames: Any, poses: Any, z: Any) -> tuple:
        """The arguments as arrays, if they fit together; z with time as its first axis."""
        first_frames, poses = np.asarray(first_frames), np.asarray(poses)
        if first_frames.ndim != 4 or first_frames.shape[-1] != 3:
            raise UserError(
                "first_frames must be (B, H, W, 3), or (H, W, 3) for one video; "
                f"got {first_frames.shape}."
            )
        expected = first_frames.shape[:1] + poses.shape[1:2] + first_frames.shape[1:]
        if poses.shape != expected or not poses.shape[1]:
            raise UserError(
                f"poses must be (B, T, H, W, 3) like first_frames {first_frames.shape} with "
                f"T >= 1; got {poses.shape}."
            )
        if z is not None:
            latents = self.latent_shape(first_frames.shape[1:3])
            expected = (len(poses), poses.shape[1] - 1, *latents)
            z = np.asarray(z, "float32")
            if z.shape != expected:
                raise UserError(f"z must be {expected} for these poses; got {z.shape}.")
            if not np.isfinite(z).all():
                raise UserError("z must be finite; it holds NaN or infinity.")
            z = np.swapaxes(z, 0, 1)
        check_range(poses[:, :1], "poses")  # a wrong type fails before the first prediction
        return first_frames, poses, z

    def _beginning(
        self, first_frames: Any, temperature: float | None, seed: int | None, z: Any
    ) -> tuple[np.ndarray, Iterator[np.ndarray], tuple]:
        """The first frames as floats, the noise or latents of all others, the shape with B."""
        first_frames = to_unit(first_frames, "first_frames")
        if first_frames.ndim not in (3, 4) or first_frames.shape[-1] != 3:
            raise UserError(
                f"first_frames must be (H, W, 3) or (B, H, W, 3); got {first_frames.shape}."
            )
        temperature = self.temperature if temperature is None else temperature
        check_temperature(temperature)
        if seed is not None and not (isinstance(seed, int | np.integer) and seed >= 0):
            raise UserError(f"seed must be an integer of at least 0, or None; got {seed!r}.")
        shape = (1, *first_frames.shape)[-4:]
        latent_shape = self.latent_shape(shape[1:3])
        if z is None:
            z = prior_noise((shape[0], *latent_shape), temperature, seed)
        return first_frames, iter(z), shape
