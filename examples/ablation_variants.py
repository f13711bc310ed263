"""The variants that ablations.py compares: each changes one thing of the recommended settings.

They are settings of `scripts/train.py`, or the classes below, which were not worth a place in the
package.
"""

from typing import Any

import numpy as np
from keras import layers, ops, random

from keras_cvae import CVAE, Clips
from keras_cvae.architectures import ARCHITECTURES
from keras_cvae.architectures.multiscale import (
    MultiscaleArchitecture,
    depth_to_space,
    space_to_depth,
)
from keras_cvae.backend.tensor import Tensor
from keras_cvae.images import tensor_to_unit, to_unit
from keras_cvae.layers.blocks import Conv1x1, ResidualBlock
from keras_cvae.model.prediction import Prediction
from keras_cvae.model.presets import PRESETS, WIDTHS

# --- architectures ---------------------------------------------------------------------------


class NormedBlock(ResidualBlock):
    """A residual block of a group norm's output."""

    def build(self, input_shape: Any = None) -> None:
        super().build()
        self.norm = layers.GroupNormalization(groups=8, axis=-1, dtype=self.dtype_policy)
        self.norm.build((None, None, None, self.in_channels))

    def call(self, x: Tensor) -> Tensor:
        return super().call(self.norm(x))


class DoubleBlock(ResidualBlock):
    """Two residual blocks."""

    def build(self, input_shape: Any = None) -> None:
        super().build()
        self.second = ResidualBlock(
            self.filters, self.filters, self.initialisation, dtype=self.dtype_policy
        )
        self.second.build()

    def call(self, x: Tensor) -> Tensor:
        return self.second(super().call(x))


class Normed(MultiscaleArchitecture):
    block = NormedBlock


class Deep(MultiscaleArchitecture):
    block = DoubleBlock


class Residual(MultiscaleArchitecture):
    """The decoder's output is added to the previous frame, before the sigmoid."""

    def encode_frames(self, frames: Tensor) -> Tensor:
        kept = ops.clip(frames, 0.02, 0.98)
        logits = space_to_depth(ops.log(kept / (1 - kept)))
        return ops.concatenate([super().encode_frames(frames), logits], axis=-1)

    def posterior(self, frame_features: Tensor, pose_features: Tensor) -> tuple[Tensor, Tensor]:
        return super().posterior(frame_features[..., :-12], pose_features)

    def decode(self, previous_features: Tensor, pose_features: Tensor, z: Tensor) -> Tensor:
        change = super().decode(previous_features[..., :-12], pose_features, z)
        return change + depth_to_space(previous_features[..., -12:])


class Context(MultiscaleArchitecture):
    """The pose encoder sees the given first frame too, which `ContextCVAE` sets."""

    first_frames: Tensor = None  # (B, H, W, 3) float32, or of one clip for all

    def __init__(self, *arguments: Any, **options: Any):
        super().__init__(*arguments, **options)
        blocks = [(type(block), block.filters) for block in self.pose_encoder.blocks]
        self.pose_encoder = self.chain("pose_and_first_frame_encoder", 24, blocks)

    def encode_poses(self, poses: Tensor, training: bool = False) -> Tensor:
        _, frames, height, width, channels = poses.shape
        first = ops.broadcast_to(self.first_frames[:, None], poses.shape)
        images = ops.concatenate([poses, first], axis=-1)
        images = ops.reshape(images, (-1, height, width, 2 * channels))
        x = self.pose_encoder(space_to_depth(images))
        return ops.reshape(x, (-1, frames, *x.shape[1:]))


class HalfBlind(MultiscaleArchitecture):
    """The decoder gets `blinded(z)` in the place of z, where `HalfBlindCVAE` sets it."""

    blinded = None

    def next_frame(self, previous_features: Tensor, pose_features: Tensor, z: Tensor) -> Tensor:
        z = z if self.blinded is None else self.blinded(z)
        return super().next_frame(previous_features, pose_features, z)


class WidePrior(MultiscaleArchitecture):
    """The learned prior is as wide as the posterior."""

    def __init__(self, *arguments: Any, **options: Any):
        super().__init__(*arguments, **options)
        self.prior_predictor = [
            self.chain(
                f"wide_{network.name}",
                network.in_channels,
                [(type(block), block.filters) for block in network.blocks],
            )
            for network in self.posterior_predictor
        ]


class SharedPrior(MultiscaleArchitecture):
    """The learned prior shares the decoder's way down, and adds two blocks of its own."""

    def __init__(self, *arguments: Any, **options: Any):
        super().__init__(*arguments, **options)
        coarse, maps = self.down[-1].filters, self.latent_maps
        blocks = [(ResidualBlock, coarse), (Conv1x1, 2 * maps)]
        self.prior_predictor = [self.chain("shared_prior", coarse, blocks)]

    def prior_of(self, seen: Tensor) -> tuple[Tensor, Tensor]:
        fine, middle, coarse = self.down
        x = coarse(space_to_depth(middle(space_to_depth(fine(seen)))))
        (network,) = self.prior_predictor
        return ops.split(ops.cast(network(x), "float32"), 2, axis=-1)


for architecture in (Normed, Deep, Residual, Context, HalfBlind, WidePrior, SharedPrior):
    ARCHITECTURES[architecture.__name__] = architecture


# --- models and data -------------------------------------------------------------------------


class OnePassCVAE(CVAE):
    """Rolls out in one pass: two need a step that is the same function in every batch."""

    def __init__(self, *arguments: Any, **options: Any):
        super().__init__(*arguments, **options)
        self.two_passes = False


class ContextCVAE(OnePassCVAE):
    """Sets the first frames of the architecture `Context`, of each clip and of each video."""

    def _roll_out(self, inputs: dict[str, Tensor], *arguments: Any, **options: Any) -> Any:
        self.architecture.first_frames = tensor_to_unit(inputs["frames"][:, 0])
        return super()._roll_out(inputs, *arguments, **options)

    def infer_latents(self, frames: np.ndarray, poses: np.ndarray) -> tuple:
        self._show(frames[:1])
        return super().infer_latents(frames, poses)

    def compare_to_prior(self, frames: np.ndarray, poses: np.ndarray) -> tuple:
        self._show(frames[:1])
        return super().compare_to_prior(frames, poses)

    def predict_video(self, first_frames: np.ndarray, *arguments: Any, **options: Any) -> Any:
        self._show(first_frames)
        return super().predict_video(first_frames, *arguments, **options)

    def stream_video(self, first_frames: np.ndarray, *arguments: Any, **options: Any) -> Any:
        self._show(first_frames)
        return super().stream_video(first_frames, *arguments, **options)

    def predict_pieces(self, first_frames: np.ndarray, *arguments: Any, **options: Any) -> Any:
        self._show(first_frames)
        return super().predict_pieces(first_frames, *arguments, **options)

    def _show(self, first_frames: np.ndarray) -> None:
        frames = to_unit(first_frames, "first_frames")
        shape = (-1, *frames.shape[-3:])
        self.architecture.first_frames = ops.convert_to_tensor(frames.reshape(shape))
        # A step that is recorded or compiled holds the first frames of another video.
        self.prediction = Prediction(self.architecture)


class NoisyCVAE(CVAE):
    """In rollouts of clips, fed-back frames get normal noise of the standard deviation 0.1."""

    def feed_back(self, frame: Tensor) -> Tensor:
        noise = random.normal(ops.shape(frame), stddev=0.1, seed=self.rng)
        return super().feed_back(frame) + noise


class HalfBlindCVAE(OnePassCVAE):
    """In training, z is 0 for half of the frames: a prediction has no z of the true frames."""

    def negative_elbo(self, inputs: dict[str, Tensor], training: bool) -> tuple[Tensor, dict]:
        self.architecture.blinded = self._blinded if training else None
        try:
            return super().negative_elbo(inputs, training)
        finally:
            self.architecture.blinded = None

    def _blinded(self, z: Tensor) -> Tensor:
        kept = random.uniform((ops.shape(z)[0], 1, 1, 1), seed=self.rng) < 0.5
        return ops.where(kept, z, 0.0)


class ShiftedClips(Clips):
    """Clips whose frames and poses are shifted at random by up to a pixel, edges repeated."""

    def __getitem__(self, index: int) -> tuple[dict[str, np.ndarray]]:
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


def with_arguments(kind: type[CVAE] = CVAE, **arguments: Any) -> type[CVAE]:
    """A class of models whose `from_preset` replaces some constructor arguments."""

    class Variant(kind):
        @classmethod
        def from_preset(cls, preset: str, recipe: str = "recommended", **overrides: Any) -> CVAE:
            return super().from_preset(preset, recipe, **{**overrides, **arguments})

    return Variant


def scaled(factor: float) -> type[CVAE]:
    """A class of models whose widths are those of the preset times a factor, except for z's."""
    widths = {name: int(PRESETS["multiscale"][name] * factor) for name in WIDTHS}
    return with_arguments(**{**widths, "latent_maps": PRESETS["multiscale"]["latent_maps"]})


VARIANTS = {
    "recommended": {},
    "published architecture": {"preset": "lab", "lr": 3e-4, "batch_size": 2},
    "batch 2, mirrored": {"batch_size": 2, "mirror": True},
    "beta 1": {"kl_stop": 1.0},
    "beta 0.01": {"kl_stop": 0.01},
    "beta 0.0001": {"kl_stop": 0.0001},
    "half the widths": {"model": scaled(0.5)},
    "widths times 1.5": {"model": scaled(1.5)},
    "two blocks instead of one": {"model": with_arguments(architecture="Deep")},
    "group norm": {"model": with_arguments(architecture="Normed")},
    "first frame as context": {"model": with_arguments(ContextCVAE, architecture="Context")},
    "residual to the previous frame": {"model": with_arguments(architecture="Residual")},
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
    "z zero in half of the frames": {
        "model": with_arguments(HalfBlindCVAE, architecture="HalfBlind")
    },
    "prior of the pose": {"prior": "pose"},
    "learned prior": {"prior": "learned"},
    "learned prior, as wide as the posterior": {
        "model": with_arguments(architecture="WidePrior", prior="learned")
    },
    "learned prior, shared with the decoder": {
        "model": with_arguments(architecture="SharedPrior", prior="learned")
    },
}
