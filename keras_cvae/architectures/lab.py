"""The published architecture: frame and pose encoders, posterior, decoder fusion, generator.

All networks work at the frame's full resolution; nothing is down-sampled. The modules are those of
the published system; SVG-FP (Denton & Fergus 2018, arXiv:1802.07687), from which it derives, has
an LSTM where this has convolutions.
"""

import math
from typing import Any, ClassVar

from keras import layers, ops

from keras_cvae.architectures.base import Architecture
from keras_cvae.backend.tensor import Tensor
from keras_cvae.layers.blocks import (
    Conv1x1,
    Conv3x3,
    DepthConvBlock,
    ResidualBlock,
    uniform,
)
from keras_cvae.layers.clip_norm import ClipBatchNormalization

PAD = 3  # the pose encoder's reflection padding


class LabArchitecture(Architecture):
    """The five networks of the published system.

    Args:
        frame_features: int, channels F of the encoded frame.
        pose_features: int, channels L of the encoded pose.
        latent_maps: int, channels N of the latent z.
        decoder_features: int, channels D between decoder fusion and generator.
        **options: see `Architecture`.

    Raises:
        UserError: if a width is so small that an integer division of it is zero.
    """

    smallest_widths: ClassVar = {
        "frame_features": 8,
        "pose_features": 2,
        "latent_maps": 4,
        "decoder_features": 8,
    }
    smallest_side: ClassVar = PAD + 1  # the reflection needs one pixel more than it adds
    heavy: ClassVar = True
    # On a CPU PyTorch was 16% faster with 8 images than with 30, probably because the memory of
    # large tensors is mapped again in each operation.
    images_at_once: ClassVar = 8

    def __init__(self, *arguments: Any, **options: Any):
        super().__init__(*arguments, **options)
        f, p, n, d = self.widths
        fused = f + p + n

        # === Layers ===
        res, dcb, conv3, conv1 = ResidualBlock, DepthConvBlock, Conv3x3, Conv1x1
        self.frame_encoder = self.chain(
            "frame_encoder",
            3,
            [(res, f // 8), (dcb, f // 8), (res, f // 4), (dcb, f // 4)]
            + [(res, f // 2), (dcb, f // 2), (conv3, f)],
        )
        limit = 1 / math.sqrt(3 * (2 * PAD + 1) ** 2)  # PyTorch's; the norm undoes its scale
        self.pose_conv = layers.Conv2D(
            p // 2,
            2 * PAD + 1,
            padding="valid",
            data_format="channels_last",
            kernel_initializer=uniform(limit),
            bias_initializer=uniform(limit),
            dtype=self.dtype_policy,
        )
        self.pose_norm = ClipBatchNormalization(
            momentum=0.9, epsilon=1e-5, axis=-1, dtype=self.dtype_policy
        )
        self.pose_residual = ResidualBlock(
            p // 2, p, self.initialisation, dtype=self.dtype_policy, name="pose_residual"
        )
        latent_blocks = [(res, n // 4), (dcb, n // 4), (res, n // 2), (dcb, n // 2)]
        latent_blocks += [(res, n), (conv1, 2 * n)]
        self.posterior_predictor = self.chain(
            "posterior_predictor",
            f + p,
            latent_blocks,
        )
        self.decoder_fusion = self.chain(
            "decoder_fusion",
            fused,
            [(dcb, fused), (res, fused // 4), (dcb, fused // 2), (res, fused // 2)]
            + [(dcb, d // 2), (conv1, d)],
        )
        self.generator = self.chain(
            "generator",
            d,
            [(dcb, d), (res, d // 2), (dcb, d // 2), (res, d // 4), (dcb, d // 4)]
            + [(res, d // 8), (dcb, d // 8), (conv1, 3)],
        )
        if self.prior != "standard":
            seen = p if self.prior == "pose" else f + p
            self.prior_predictor = self.chain("prior_predictor", seen, latent_blocks)

    def build(self, input_shape: Any = None) -> None:
        """Builds every variable; no frame size is needed, all networks are convolutional."""
        image = (None, None, None)
        self.pose_conv.build((*image, 3))
        self.pose_norm.build((None, *image, self.pose_conv.filters))
        for network in (
            self.frame_encoder,
            self.pose_residual,
            self.posterior_predictor,
            self.decoder_fusion,
            self.generator,
            *([] if self.prior == "standard" else [self.prior_predictor]),
        ):
            network.build((*image, network.in_channels))

    def encode_frames(self, frames: Tensor) -> Tensor:
        """Encodes images (n, H, W, 3) to (n, H, W, F)."""
        return self.frame_encoder(frames)

    def encode_poses(self, poses: Tensor, training: bool = False) -> Tensor:
        """Encodes pose images (B, T, H, W, 3) to (B, T, H, W, L)."""
        batch, frames, height, width, _ = ops.shape(poses)
        x = ops.reshape(poses, (-1, height, width, 3))
        x = ops.pad(x, [[0, 0], [PAD, PAD], [PAD, PAD], [0, 0]], mode="reflect")
        x = self.pose_conv(x)
        x = ops.reshape(x, (-1, frames, height, width, self.pose_conv.filters))
        x = self.pose_norm(x, training=training)
        x = ops.reshape(x, (-1, height, width, self.pose_conv.filters))
        x = self.pose_residual(x)
        return ops.reshape(x, (-1, frames, height, width, self.pose_residual.filters))

    def posterior(self, frame_features: Tensor, pose_features: Tensor) -> tuple[Tensor, Tensor]:
        """mu and logvar of q(z | frame, pose), each (n, H, W, N) float32."""
        x = ops.concatenate([frame_features, pose_features], axis=-1)
        x = ops.cast(self.posterior_predictor(x), "float32")
        return ops.split(x, 2, axis=-1)

    def prior_of(self, seen: Tensor) -> tuple[Tensor, Tensor]:
        """mu and logvar of the prior, by a network like the posterior's."""
        x = ops.cast(self.prior_predictor(seen), "float32")
        return ops.split(x, 2, axis=-1)

    def decode(self, previous_features: Tensor, pose_features: Tensor, z: Tensor) -> Tensor:
        """The next frame (n, H, W, 3) float32, not bounded, from the encoded previous frame."""
        z = ops.cast(z, previous_features.dtype)
        fused = self.decoder_fusion(ops.concatenate([previous_features, pose_features, z], axis=-1))
        return ops.cast(self.generator(fused), "float32")
