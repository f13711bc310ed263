"""An encoder-decoder over three resolutions, with skip connections: trains on a CPU in minutes.

Nothing is computed at the full resolution: images enter and leave as blocks of 2 x 2 pixels. The
coarse grid sees the whole frame, and z lives there. The blocks are those of the `lab` architecture;
the shape is that of U-Net (Ronneberger et al. 2015, arXiv:1505.04597).
"""

from typing import Any, ClassVar

from keras import ops

from keras_cvae.architectures.base import Architecture
from keras_cvae.backend.tensor import Tensor
from keras_cvae.layers.blocks import Chain, Conv1x1, Conv3x3, ResidualBlock


class MultiscaleArchitecture(Architecture):
    """Encoders at half resolution, a U-Net down to an eighth as decoder, a coarse posterior.

    Args:
        frame_features: int, channels of the encoded frame, and of the decoder at half resolution.
        pose_features: int, channels of the encoded pose.
        latent_maps: int, channels of the latent z, on a grid of an eighth of the frame's size.
        decoder_features: int, channels of the decoder at an eighth of the resolution; those at a
            quarter lie in the middle.
        **options: see `Architecture`.

    Raises:
        UserError: if a width is not a positive integer.
    """

    scale: ClassVar = 8  # 2 at the images, twice 2 inside
    block: ClassVar = ResidualBlock  # at every resolution

    def __init__(self, *arguments: Any, **options: Any):
        super().__init__(*arguments, **options)
        fine, pose, n, coarse = self.widths
        middle = (fine + coarse) // 2
        res, conv1, conv3 = self.block, Conv1x1, Conv3x3

        # === Layers ===
        self.frame_encoder = self.chain("frame_encoder", 12, [(conv3, fine)])
        self.pose_encoder = self.chain("pose_encoder", 12, [(conv3, pose), (res, pose)])
        self.posterior_predictor = [
            self.chain("posterior_fine", fine + pose, [(res, fine)]),
            self.chain("posterior_middle", 4 * fine, [(conv1, middle), (res, middle)]),
            self.chain("posterior_coarse", 4 * middle, [(conv1, coarse), (conv1, 2 * n)]),
        ]
        self.down = [
            self.chain("down_fine", fine + pose, [(res, fine)]),
            self.chain("down_middle", 4 * fine, [(conv1, middle), (res, middle)]),
            self.chain("down_coarse", 4 * middle, [(conv1, coarse), (res, coarse)]),
        ]
        self.bottom = self.chain("bottom", coarse + n, [(res, coarse), (conv1, 4 * middle)])
        self.up = [
            self.chain("up_middle", 2 * middle, [(res, middle), (conv1, 4 * fine)]),
            self.chain("up_fine", 2 * fine, [(res, fine), (conv3, 12)]),
        ]
        if self.prior != "standard":
            seen = pose if self.prior == "pose" else fine + pose
            # Half as wide as the posterior: as accurate, and cheaper.
            fine, middle, coarse = (max(width // 2, 1) for width in (fine, middle, coarse))
            self.prior_predictor = [
                self.chain("prior_fine", seen, [(res, fine)]),
                self.chain("prior_middle", 4 * fine, [(conv1, middle), (res, middle)]),
                self.chain("prior_coarse", 4 * middle, [(conv1, coarse), (conv1, 2 * n)]),
            ]

    def build(self, input_shape: Any = None) -> None:
        """Builds every variable; no frame size is needed, all networks are convolutional."""
        for network in (
            self.frame_encoder,
            self.pose_encoder,
            *self.posterior_predictor,
            *self.down,
            self.bottom,
            *self.up,
            *([] if self.prior == "standard" else self.prior_predictor),
        ):
            network.build((None, None, None, network.in_channels))

    def encode_frames(self, frames: Tensor) -> Tensor:
        """Encodes images (n, H, W, 3) to (n, H/2, W/2, frame_features)."""
        return self.frame_encoder(space_to_depth(frames))

    def encode_poses(self, poses: Tensor, training: bool = False) -> Tensor:
        """Encodes pose images (B, T, H, W, 3) to (B, T, H/2, W/2, pose_features)."""
        _, frames, height, width, _ = ops.shape(poses)
        x = self.pose_encoder(space_to_depth(ops.reshape(poses, (-1, height, width, 3))))
        return ops.reshape(x, (-1, frames, *x.shape[1:]))

    def posterior(self, frame_features: Tensor, pose_features: Tensor) -> tuple[Tensor, Tensor]:
        """mu and logvar of q(z | frame, pose), each (n, H/8, W/8, N) float32."""
        x = ops.concatenate([frame_features, pose_features], axis=-1)
        return _gaussian(self.posterior_predictor, x)

    def prior_of(self, seen: Tensor) -> tuple[Tensor, Tensor]:
        """mu and logvar of the prior, by networks like the posterior's, half as wide."""
        return _gaussian(self.prior_predictor, seen)

    def decode(self, previous_features: Tensor, pose_features: Tensor, z: Tensor) -> Tensor:
        """The next frame (n, H, W, 3) float32, not bounded, from the encoded previous frame."""
        fine = self.down[0](ops.concatenate([previous_features, pose_features], axis=-1))
        middle = self.down[1](space_to_depth(fine))
        x = self.down[2](space_to_depth(middle))
        x = self.bottom(ops.concatenate([x, ops.cast(z, x.dtype)], axis=-1))
        x = self.up[0](ops.concatenate([depth_to_space(x), middle], axis=-1))
        x = self.up[1](ops.concatenate([depth_to_space(x), fine], axis=-1))
        return ops.cast(depth_to_space(x), "float32")


def _gaussian(networks: list[Chain], x: Tensor) -> tuple[Tensor, Tensor]:
    """mu and logvar (n, H/8, W/8, N) float32 from features at half of the resolution."""
    fine, middle, coarse = networks
    x = coarse(space_to_depth(middle(space_to_depth(fine(x)))))
    return ops.split(ops.cast(x, "float32"), 2, axis=-1)


def space_to_depth(x: Tensor) -> Tensor:
    """Blocks of 2 x 2 pixels as channels: (n, H, W, C) to (n, H/2, W/2, 4C)."""
    height, width, channels = x.shape[1:]
    x = ops.reshape(x, (-1, height // 2, 2, width // 2, 2, channels))
    x = ops.transpose(x, (0, 1, 3, 2, 4, 5))
    return ops.reshape(x, (-1, height // 2, width // 2, 4 * channels))


def depth_to_space(x: Tensor) -> Tensor:
    """The inverse of `space_to_depth`: (n, H, W, 4C) to (n, 2H, 2W, C)."""
    height, width, channels = x.shape[1:]
    x = ops.reshape(x, (-1, height, width, 2, 2, channels // 4))
    x = ops.transpose(x, (0, 1, 3, 2, 4, 5))
    return ops.reshape(x, (-1, 2 * height, 2 * width, channels // 4))
