"""State and protocol of one page that is open: what it sends, and what it gets. NumPy alone."""

import math

import numpy as np

from keras_cvae.errors import UserError
from keras_cvae.images import check_finite, scaled, to_uint8
from keras_cvae.predictor import Step

START, STEP = 1, 2  # the first byte of a message is its kind


class Session:
    """Predicts frame after frame for one page.

    A message is bytes: `START` and an image, the given frame; or `STEP`, the scaled noise (float32,
    little endian) and a pose image, which predicts the next frame from the one before. Images are
    (H, W, 3) uint8 RGB in row-major order. The answer to each is its kind and the frame. The frame
    before is kept as float32, as `Predictor` keeps it.

    Args:
        step: of prediction, see `keras_cvae.predictor`.
        frame_size: (height, width) of the frames.
        latent_shape: of one frame's z.
    """

    def __init__(self, step: Step, frame_size: tuple[int, int], latent_shape: tuple[int, ...]):
        self._step = step
        self._shape = (*frame_size, 3)
        self._latent_shape = latent_shape
        self._frame: np.ndarray | None = None

    @property
    def longest(self) -> int:
        """The length of the longest message, in bytes."""
        return 1 + self._noise_bytes + self._image_bytes

    def answer(self, message: bytes) -> bytes:
        """Takes a message and gives the answer.

        Args:
            message: from the page.

        Returns:
            The kind of the message, and the frame.

        Raises:
            UserError: if the message has another kind or length, its noise is not finite, nothing
                was started, or the prediction is not finite. The state stays as it was.
        """
        kind = message[0] if message else None
        if kind == START:
            self._check_length(message, 1 + self._image_bytes)
            self._frame = scaled(self._image(message[1:]))[None]
        elif kind == STEP:
            self._check_length(message, self.longest)
            self._frame = self._next(message)
        else:
            raise UserError(
                f"A message must begin with its kind, {START} (start) or {STEP} (step); got "
                f"{'nothing' if kind is None else kind}."
            )
        return bytes([kind]) + to_uint8(self._frame).tobytes()

    def _next(self, message: bytes) -> np.ndarray:
        if self._frame is None:
            raise UserError("A step needs a frame before it: send a start first.")
        noise = np.frombuffer(message, "<f4", math.prod(self._latent_shape), offset=1)
        if not np.isfinite(noise).all():
            raise UserError("The noise of a step must be finite numbers.")
        noise = noise.astype(np.float32).reshape(1, *self._latent_shape)
        pose = scaled(self._image(message[1 + self._noise_bytes :]))[None]
        with np.errstate(all="ignore"):  # noise may be any finite numbers
            frame = self._step(self._frame, pose, noise)
        check_finite(frame, "The predicted frame")
        return frame

    @property
    def _image_bytes(self) -> int:
        return math.prod(self._shape)

    @property
    def _noise_bytes(self) -> int:
        return 4 * math.prod(self._latent_shape)

    def _image(self, data: bytes) -> np.ndarray:
        return np.frombuffer(data, np.uint8).reshape(self._shape)

    def _check_length(self, message: bytes, length: int) -> None:
        if len(message) != length:
            raise UserError(
                f"A message of the kind {message[0]} has {length} bytes for this model; got "
                f"{len(message)}."
            )
