"""The variants that ablations.py compares: each changes one thing of the recommended settings.

Settings of `scripts/train.py`, or what the classes below add, which did not earn a place in the
package.
"""

import numpy as np
import torch
from keras import layers, ops, random

from keras_cvae import Clips
from keras_cvae.architectures import ARCHITECTURES
from keras_cvae.architectures.multiscale import (
    MultiscaleArchitecture,
    depth_to_space,
    space_to_depth,
)
from keras_cvae.layers.blocks import ResidualBlock
from keras_cvae.model.cvae import CVAE
from keras_cvae.model.presets import PRESETS
from keras_cvae.model.rollout import to_unit

# --- architectures ---------------------------------------------------------------------------


class NormedBlock(ResidualBlock):
    """A residual block of a group norm's output."""

    def build(self, input_shape=None):
        super().build()
        self.norm = layers.GroupNormalization(groups=8, axis=-1, dtype=self.dtype_policy)
        self.norm.build((None, None, None, self.in_channels))

    def call(self, x):
        return super().call(self.norm(x))


class DoubleBlock(ResidualBlock):
    """Two residual blocks."""

    def build(self, input_shape=None):
        super().build()
        self.second = ResidualBlock(
            self.filters, self.filters, self.initialisation, dtype=self.dtype_policy
        )
        self.second.build()

    def call(self, x):
        return self.second(super().call(x))


class Normed(MultiscaleArchitecture):
    block = NormedBlock


class Deep(MultiscaleArchitecture):
    block = DoubleBlock


class Residual(MultiscaleArchitecture):
    """The decoder's output is added to the previous frame, before the sigmoid."""

    def encode_frames(self, frames):
        kept = ops.clip(frames, 0.02, 0.98)
        logits = space_to_depth(ops.log(kept / (1 - kept)))
        return ops.concatenate([super().encode_frames(frames), logits], axis=-1)

    def posterior(self, frame_features, pose_features):
        return super().posterior(frame_features[..., :-12], pose_features)

    def decode(self, previous_features, pose_features, z):
        change = super().decode(previous_features[..., :-12], pose_features, z)
        return change + depth_to_space(previous_features[..., -12:])


class Context(MultiscaleArchitecture):
    """The pose encoder sees the given first frame too, which `ContextCVAE` puts here."""

    first_frames = None

    def __init__(self, frame_features, pose_features, *args, **kwargs):
        super().__init__(frame_features, pose_features, *args, **kwargs)
        blocks = [(type(b), b.filters) for b in self.pose_encoder.blocks]
        self.pose_encoder = self._chain("pose_and_first_frame_encoder", 24, blocks)

    def encode_poses(self, poses, training=False):
        first = ops.broadcast_to(self.first_frames[:, None], poses.shape)
        _, frames, height, width, channels = poses.shape
        images = ops.concatenate([poses, first], axis=-1)
        images = ops.reshape(images, (-1, height, width, 2 * channels))
        x = self.pose_encoder(space_to_depth(images))
        return ops.reshape(x, (-1, frames, *x.shape[1:]))


class ContextCVAE(CVAE):
    def _roll_out(self, inputs, *args, **kwargs):
        self.architecture.first_frames = to_unit(inputs["frames"])[:, 0]
        return super()._roll_out(inputs, *args, **kwargs)

    def stream_video(self, first_frames, *args, **kwargs):
        self.architecture.first_frames = to_unit(ops.convert_to_tensor(first_frames))
        # A recorded step would hold another first frame.
        self.make_predictor(self.output_bound, self.logvar_bound)
        return super().stream_video(first_frames, *args, **kwargs)

    def infer_latents(self, frames, poses):
        batch = {"frames": frames[None], "poses": poses[None]}
        with torch.no_grad():
            rollout = self(batch)
        return tuple(ops.convert_to_numpy(x)[0] for x in (rollout.mu, rollout.logvar))


class NoisyCVAE(CVAE):
    """Normal noise of the standard deviation 0.1 is added to the fed-back frames in training."""

    def _fed_back(self, previous, pose, z):
        noise = random.normal(ops.shape(previous), stddev=0.1, seed=self.rng)
        return super()._fed_back(previous + noise, pose, z)


class HalfBlindCVAE(CVAE):
    """z, which the prediction lacks, is 0 for half of the frames in training."""

    def _decode(self, previous_features, pose, z):
        told = random.uniform((ops.shape(z)[0], 1, 1, 1), seed=self.rng) < 0.5
        return super()._decode(previous_features, pose, z * ops.cast(told, z.dtype))


class ShiftedClips(Clips):
    """Clips whose frames and poses are shifted at random by up to a pixel, edges repeated."""

    def __getitem__(self, index):
        (batch,) = super().__getitem__(index)
        rng = np.random.default_rng([self.seed, self.epoch, index])
        for clip in range(self.batch_size):
            dy, dx = rng.integers(0, 3, 2)
            for images in batch.values():
                height, width = images.shape[2:4]
                moved = np.pad(images[clip], [(0, 0), (1, 1), (1, 1), (0, 0)], mode="edge")
                images[clip] = moved[:, dy : dy + height, dx : dx + width]
        return (batch,)


# --- variants --------------------------------------------------------------------------------

for kind in (Normed, Deep, Residual, Context):
    ARCHITECTURES[kind.__name__] = kind
    PRESETS[kind.__name__] = {**PRESETS["multiscale"], "architecture": kind.__name__}
for share in (0.5, 1.5):
    scaled = {k: int(v * share) for k, v in PRESETS["multiscale"].items() if k != "architecture"}
    PRESETS[f"width {share}"] = {"architecture": "multiscale", **scaled, "latent_maps": 8}

VARIANTS = {
    "recommended": {},
    "published architecture": {"preset": "lab", "lr": 3e-4, "batch_size": 2},
    "batch 2, mirrored": {"batch_size": 2, "mirror": True},
    "beta 1": {"kl_stop": 1.0},
    "beta 0.01": {"kl_stop": 0.01},
    "beta 0.0001": {"kl_stop": 0.0001},
    "half the widths": {"preset": "width 0.5"},
    "widths times 1.5": {"preset": "width 1.5"},
    "two blocks instead of one": {"preset": "Deep"},
    "group norm": {"preset": "Normed"},
    "first frame as context": {"preset": "Context", "model": ContextCVAE},
    "residual to the previous frame": {"preset": "Residual"},
    "gradient through the feedback": {"feedback_gradient": "flow"},
    "teacher forcing, 1 falling to 0": {"tfr": 1.0, "tfr_start_decay": 0, "tfr_decay_step": "half"},
    "clips of 8 frames, batch 8": {"clip_length": 8, "batch_size": 8},
    "clips of 32 frames, batch 2": {"clip_length": 32, "batch_size": 2},
    "batch 2": {"batch_size": 2},
    "batch 8": {"batch_size": 8},
    "learning rate 0.001": {"lr": 1e-3},
    "learning rate 0.01": {"lr": 1e-2},
    "constant learning rate": {"constant": True},
    "EMA 0.99": {"ema": 0.99},
    "mirrored at random": {"mirror": True},
    "shifted by up to 1 pixel": {"clips": ShiftedClips},
    "noise on the fed-back frame": {"model": NoisyCVAE},
    "z zero in half of the frames": {"model": HalfBlindCVAE},
}
