"""What all architectures share: prior, step of prediction, bounds, widths and the size of z."""

from collections.abc import Sequence
from typing import Any, ClassVar

from keras import layers, ops

from keras_cvae.backend.tensor import Tensor
from keras_cvae.errors import UserError
from keras_cvae.layers.blocks import Chain
from keras_cvae.layers.gaussian import bound_logvar, reparameterise


class Architecture(layers.Layer):
    """The networks of a `CVAE`: encoders, posterior, prior and decoder.

    A subclass makes its networks in `__init__`, the prior's last, builds them in `build`, and has
    these methods:

    - `encode_frames(frames)`: images (n, H, W, 3) to features (n, h, w, frame_features).
    - `encode_poses(poses, training=False)`: images (B, T, H, W, 3) to (B, T, h, w, pose_features).
    - `posterior(frame_features, pose_features)`: mu and logvar of q(z | frame, pose), each
      (n, *latent_shape) float32, logvar not bounded.
    - `prior_of(seen)`: likewise those of the prior, if it is not `"standard"`, from the pose
      features, or from the features of previous frame and pose (n, h, w, channels).
    - `decode(previous_features, pose_features, z)`: the next frame (n, H, W, 3) float32, not
      bounded, from the encoded previous frame.

    A `CVAE` calls the encoders, and the methods here, which apply the bounds.

    Args:
        frame_features: int, channels of the encoded frame.
        pose_features: int, channels of the encoded pose.
        latent_maps: int, channels of the latent z.
        decoder_features: int, channels of the decoder.
        initialisation: `"scaled"` or `"pytorch"`, see `keras_cvae.layers.blocks.Block`.
        output: `"sigmoid"`, `"clip"` or `"none"`, how predictions are bounded to [0, 1].
        logvar_bound: float > 0 or `None`, see `keras_cvae.layers.gaussian.bound_logvar`.
        prior: `"standard"`, `"pose"` or `"learned"`, see `CVAE`.

    Raises:
        UserError: if a width is below what the architecture divides it by.
    """

    smallest_widths: ClassVar[dict[str, int]] = {}  # each width is divided by this number inside
    smallest_side: ClassVar[int] = 1  # of a frame, pixels
    scale: ClassVar[int] = 1  # of the grid of z: its sides are those of the frame over this number
    heavy: ClassVar[bool] = False  # the arithmetic of a step takes longer than all around it
    images_at_once: ClassVar[int | None] = None  # decoded together, see `roll_out`

    def __init__(
        self,
        frame_features: int,
        pose_features: int,
        latent_maps: int,
        decoder_features: int,
        initialisation: str = "scaled",
        output: str = "none",
        logvar_bound: float | None = None,
        prior: str = "standard",
        **kwargs: Any,
    ):
        super().__init__(**kwargs)
        widths = {
            "frame_features": frame_features,
            "pose_features": pose_features,
            "latent_maps": latent_maps,
            "decoder_features": decoder_features,
        }
        for name, width in widths.items():
            smallest = self.smallest_widths.get(name, 1)
            if not isinstance(width, int) or width < smallest:
                raise UserError(
                    f"{name} is divided by {smallest} inside {type(self).__name__} and must be an "
                    f"integer of at least {smallest}; got {width!r}."
                )
        self.widths = tuple(widths.values())
        self.latent_maps = latent_maps
        self.initialisation = initialisation
        self.output_bound = output
        self.logvar_bound = logvar_bound
        self.prior = prior

    def chain(self, name: str, in_channels: int, blocks: Sequence[tuple]) -> Chain:
        """Blocks one after another as one network; see `keras_cvae.layers.blocks.Chain`."""
        return Chain(in_channels, blocks, self.initialisation, dtype=self.dtype_policy, name=name)

    def latent_shape(self, frame_size: tuple[int, int]) -> tuple[int, int, int]:
        """Shape (h, w, N) of one frame's z for frames of `frame_size` (height, width).

        Raises:
            UserError: for sizes that the architecture cannot have.
        """
        self.check_frame_size(frame_size)
        height, width = frame_size
        return (height // self.scale, width // self.scale, self.latent_maps)

    def check_frame_size(self, frame_size: tuple[int, int]) -> None:
        """Checks a (height, width).

        Raises:
            UserError: for sizes that the architecture cannot have.
        """
        if min(frame_size) < self.smallest_side or any(side % self.scale for side in frame_size):
            expected = f"of at least {self.smallest_side} x {self.smallest_side} pixels"
            if self.scale > 1:
                expected = f"whose sides are multiples of {self.scale}"
            raise UserError(
                f"{type(self).__name__} needs frames {expected}; got {frame_size[0]} x "
                f"{frame_size[1]} (height x width). Resize them."
            )

    def infer(self, frame_features: Tensor, pose_features: Tensor) -> tuple[Tensor, Tensor]:
        """mu and bounded logvar of q(z | frame, pose), each (n, *latent_shape) float32."""
        mu, logvar = self.posterior(frame_features, pose_features)
        return mu, bound_logvar(logvar, self.logvar_bound)

    def expect(
        self, previous_features: Tensor, pose_features: Tensor
    ) -> tuple[Tensor, Tensor] | None:
        """mu and bounded logvar of the prior, like the posterior's; `None` for N(0, I)."""
        if self.prior == "standard":
            return None
        seen = pose_features
        if self.prior == "learned":
            seen = ops.concatenate([previous_features, pose_features], axis=-1)
        mu, logvar = self.prior_of(seen)
        return mu, bound_logvar(logvar, self.logvar_bound)

    def next_frame(self, previous_features: Tensor, pose_features: Tensor, z: Tensor) -> Tensor:
        """The next frame (n, H, W, 3) float32, bounded, from the encoded previous frame."""
        frame = self.decode(previous_features, pose_features, z)
        if self.output_bound == "sigmoid":
            return ops.sigmoid(frame)
        if self.output_bound == "clip":
            return ops.clip(frame, 0.0, 1.0)
        return frame

    def step(self, previous_frame: Tensor, pose_features: Tensor, z: Tensor) -> Tensor:
        """The next frame from the previous one, pose features and z."""
        return self.next_frame(self.encode_frames(previous_frame), pose_features, z)

    def sampled_step(self, previous_frame: Tensor, pose_features: Tensor, noise: Tensor) -> Tensor:
        """The next frame with z from the prior: its mean, and its deviation times the noise."""
        previous = self.encode_frames(previous_frame)
        prior = self.expect(previous, pose_features)
        z = noise if prior is None else reparameterise(*prior, noise)
        return self.next_frame(previous, pose_features, z)
