"""The conditional variational auto-encoder for video, as a `keras.Model`.

The first module to read. `train_step` of each backend is in `keras_cvae/backend/`, the rollout as
pure functions in `rollout.py`, the networks in `keras_cvae/architectures/`.
"""

from collections.abc import Iterable, Iterator, Sequence
from typing import Any

import keras
import numpy as np
from keras import metrics, ops, random

from keras_cvae.architectures import ARCHITECTURES
from keras_cvae.backend.batch_share import own_rows
from keras_cvae.backend.loops import two_passes_pay, unrolls_loops
from keras_cvae.backend.own_step import OwnStep
from keras_cvae.backend.tensor import Tensor
from keras_cvae.backend.train_step import backend_steps
from keras_cvae.errors import check_choice
from keras_cvae.images import chosen_frame_size, tensor_to_unit
from keras_cvae.losses import frame_dissimilarity, frame_mse, gaussian_kl
from keras_cvae.model import presets
from keras_cvae.model.inputs import check_batch
from keras_cvae.model.prediction import Prediction
from keras_cvae.model.rollout import (
    Choose,
    Rollout,
    check_clip,
    checked_noise,
    free_running,
    roll_out,
    teacher_forced,
)
from keras_cvae.model.saving import PortableModel
from keras_cvae.predictor import PRIORS, Predictor


@keras.saving.register_keras_serializable("keras_cvae")
class CVAE(PortableModel):
    """Predicts a video from its first frame and a sequence of pose images.

    A modification of SVG-FP (Denton & Fergus 2018, arXiv:1802.07687). In training a posterior
    q(z_t | x_t, c_t) of the current frame and pose gives the latent z_t, the decoder predicts x_t
    from the previous frame, the pose and z_t, and the loss is the negative ELBO, the mean over the
    frames of `mse_t + beta * kl_t`, where kl_t is the KL of the posterior from the prior. In
    prediction z_t comes from the prior.

    `train_step` rolls a clip out: with the probability `teacher_forcing_ratio`, one coin per batch,
    the previous frame is the true one, else the prediction. `beta` and `teacher_forcing_ratio` are
    variables: the callbacks `KLAnnealing` and `TeacherForcing` set them each epoch, and nothing is
    retraced. They start at 1.

    Args:
        architecture: `"lab"`, the published one, or `"multiscale"`; see `keras_cvae.architectures`.
        frame_features: int, channels F of the encoded frame.
        pose_features: int, channels L of the encoded pose.
        latent_maps: int, channels N of the latent.
        decoder_features: int, channels D of the decoder.
        output: `"sigmoid"`, `"clip"` or `"none"`, how predictions are bounded to [0, 1]. Fed back
            for hundreds of frames, unbounded values run away; a sigmoid has a gradient everywhere.
            The published system has no bound.
        stop_feedback_gradient: bool. `True` ends the gradient at the fed-back frame: training on
            the model's own predictions stays stable. `False`, as published, differentiates through
            the whole rollout.
        kl_reduction: `"sum"` over the latent elements, the ELBO as published, or `"mean"`: beta
            then weighs nats per latent element, for any frame size. Summed over thousands of
            elements the KL dominates the clipped gradient of the first steps.
        logvar_bound: float > 0 or `None`. Bounds the log-variance smoothly, so that exp(logvar)
            cannot overflow where beta is 0; `None` as published.
        temperature: float >= 0, scale of the prior's standard deviation in prediction, stored with
            the model: 1 samples (as published), 0 takes its mean and is the most accurate.
        initialisation: `"scaled"` or `"pytorch"` (as published) initial weights, see
            `keras_cvae.layers.blocks.Block`. Scaled ones learn to copy the previous frame at once.
        frame_size: (height, width) of the frames that the model is for, which training notes and
            exporting takes; `None` where it is not known. The networks take any.
        rematerialise: bool. `True` trains with a fraction of the memory: activations are computed
            again for the gradient, some frames at a time, instead of being kept for the whole clip.
            The numbers are the same up to rounding; on a CPU a step took up to 2.5 times as long.
        seed: int or `None`, of the noise and the coin in training. (The initial weights follow
            `keras.utils.set_random_seed`.)
        prior: `"standard"`, N(0, I), as published; `"pose"`, p(z_t | c_t); or `"learned"`,
            p(z_t | x_{t-1}, c_t), where x_{t-1} is the frame that the decoder sees (SVG-LP, Denton
            & Fergus 2018, section 3.2, without its LSTM), which keeps for some frames what the
            pose does not determine, such as a ball.
        ssim_weight: float >= 0. Above 0 the loss of a frame has the term `ssim_weight * (1 - ssim)`
            (Wang et al. 2004), for frames of at least 11 x 11 pixels. With 0.01, frames of a real
            video were more similar to the true ones and their PSNR no lower (docs/prior.md).
        poses: what drew the pose images, which training notes: `"builtin"` or `"builtin-ball"`, the
            built-in data; `"skeleton"`, `draw_skeleton` for another person; `None`, not known.

    Raises:
        UserError: for an unknown name or a value out of its range.

    Example:

    ```python
    model = CVAE.from_preset("multiscale")
    model.compile(keras.optimizers.Adam(1e-3, global_clipnorm=1.0))
    model.fit(keras_cvae.data.Clips((frames, poses)), epochs=20)
    video = model.predict_video(frames[0], poses)
    ```
    """

    def __init__(
        self,
        architecture: str = "lab",
        frame_features: int = 128,
        pose_features: int = 32,
        latent_maps: int = 12,
        decoder_features: int = 192,
        output: str = "sigmoid",
        stop_feedback_gradient: bool = True,
        kl_reduction: str = "mean",
        logvar_bound: float | None = 4.0,
        temperature: float = 0.0,
        initialisation: str = "scaled",
        frame_size: Sequence[int] | None = None,
        rematerialise: bool = False,
        seed: int | None = None,
        prior: str = "standard",
        ssim_weight: float = 0.0,
        poses: str | None = None,
        **kwargs: Any,
    ):
        # Layers cast for themselves; targets and losses stay in float32.
        super().__init__(**{"autocast": False, **kwargs})
        check_choice("architecture", architecture, ARCHITECTURES)
        presets.check_options(
            output, kl_reduction, initialisation, logvar_bound, temperature, ssim_weight, poses
        )
        check_choice("prior", prior, PRIORS)
        frame_size = None if frame_size is None else chosen_frame_size(frame_size)

        # === Layers ===
        self.architecture = ARCHITECTURES[architecture](
            frame_features,
            pose_features,
            latent_maps,
            decoder_features,
            initialisation,
            output,
            logvar_bound,
            prior,
            dtype=self.dtype_policy,
            name="architecture",
        )
        self.architecture.build()

        # === Graph === (the state of training that is no layer's, and the graphs of prediction)
        scalar = {"shape": (), "initializer": "ones", "trainable": False, "autocast": False}
        self.beta = self.add_weight(name="beta", **scalar)
        self.teacher_forcing_ratio = self.add_weight(name="teacher_forcing_ratio", **scalar)
        self.rng = random.SeedGenerator(seed)
        self._trackers = [metrics.Mean(name=name) for name in ("loss", "mse", "kl")]
        self.prediction = Prediction(self.architecture)
        self._own_step = OwnStep(self.architecture.step, self.architecture.variables)
        self.built = True

        # === Config ===
        self.output_bound = output
        self.stop_feedback_gradient = stop_feedback_gradient
        # Without gradients, fed-back frames are inputs, if no subclass changes them.
        constant = stop_feedback_gradient and type(self).feed_back is CVAE.feed_back
        self.two_passes = constant and two_passes_pay(self.architecture.heavy)
        self.kl_reduction = kl_reduction
        self.logvar_bound = logvar_bound
        self.ssim_weight = float(ssim_weight)
        self.rematerialise = rematerialise
        self.temperature = float(temperature)
        self.poses = poses
        self.note_frame_size(frame_size)
        self._config = {
            "architecture": architecture,
            "frame_features": frame_features,
            "pose_features": pose_features,
            "latent_maps": latent_maps,
            "decoder_features": decoder_features,
            "output": output,
            "stop_feedback_gradient": stop_feedback_gradient,
            "kl_reduction": kl_reduction,
            "logvar_bound": logvar_bound,
            "initialisation": initialisation,
            "rematerialise": rematerialise,
            "seed": seed,
            "prior": prior,
            "ssim_weight": self.ssim_weight,
        }

    def get_config(self) -> dict:
        base = super().get_config()
        kept = {key: base[key] for key in ("name", "trainable", "dtype") if key in base}
        state = {name: getattr(self, name) for name in ("temperature", "frame_size", "poses")}
        return {**kept, **self._config, **state}

    @classmethod
    def from_preset(cls, preset: str, recipe: str = "recommended", **overrides: Any) -> "CVAE":
        """Makes a model of a preset's widths with a recipe's options.

        Args:
            preset: `"multiscale"`, `"lab"` or `"lab_small"`.
            recipe: `"recommended"` or `"published"`.
            **overrides: constructor arguments that replace theirs.

        Returns:
            `CVAE`.

        Raises:
            UserError: for an unknown name or a value out of its range.
        """
        return cls(**{**presets.model_arguments(preset, recipe), **overrides})

    # === Loss ===

    def negative_elbo(self, inputs: dict[str, Tensor], training: bool) -> tuple[Tensor, dict]:
        """The loss of a batch, the mean over clips and frames of mse + beta * kl, and its terms.

        With `ssim_weight` the loss has the term `ssim_weight * (1 - ssim)` too.

        In training one coin, with the probability `teacher_forcing_ratio`, chooses between teacher
        forcing and the free rollout for the batch. Else the rollout is free.

        Args:
            inputs: dict with `"frames"`, `"poses"` and optionally `"eps"`, as for `rollout`, and
                optionally `"coin"`, a bool: teacher forcing or not.
            training: bool.

        Returns:
            `(loss, terms)`: a scalar, and a dict of the scalars `"mse"` and `"kl"`.
        """
        choose = free_running
        if training:
            # Sampled before the branch: no state changes inside it.
            coin = inputs["coin"] if "coin" in inputs else self.toss_coin()

            def choose(forced, free):
                return ops.cond(coin, forced, free)

        frames, rollout, prior = self._roll_out(inputs, choose, training)
        mse = ops.mean(frame_mse(frames[:, 1:], rollout.pred))
        kl = ops.mean(gaussian_kl(rollout.mu, rollout.logvar, self.kl_reduction, prior))
        loss = mse + self.beta * kl
        if self.ssim_weight:
            unlike = ops.mean(frame_dissimilarity(frames[:, 1:], rollout.pred))
            loss = loss + self.ssim_weight * unlike
        return loss, {"mse": mse, "kl": kl}

    def _roll_out(
        self, inputs: dict[str, Tensor], choose: Choose, training: bool = False
    ) -> tuple[Tensor, Rollout, tuple[Tensor, Tensor] | None]:
        """The true frames as float32, the `Rollout` with z from their posterior, and the prior."""
        eps = inputs.get("eps")
        eps = self.sample_noise(inputs) if eps is None else eps
        check_clip(inputs["frames"].shape, inputs["poses"].shape)
        frames = tensor_to_unit(inputs["frames"], "frames")
        poses = tensor_to_unit(inputs["poses"], "poses")
        self.note_frame_size(frames.shape[2:4])
        return frames, *roll_out(
            self.architecture,
            frames,
            poses,
            checked_noise(eps, self._noise_shape(frames)),
            choose,
            feed_back=self.feed_back,
            own_step=self._own_step if training and self.two_passes else None,
            training=training,
            rematerialise=self.rematerialise and training,
            unroll=unrolls_loops(self.jit_compile),
        )

    def toss_coin(self) -> Tensor:
        """Whether a training step has teacher forcing, with that probability: a scalar bool."""
        return random.uniform((), seed=self.rng) < self.teacher_forcing_ratio

    def sample_noise(self, inputs: dict[str, Tensor]) -> Tensor:
        """The noise `"eps"` of a rollout of a batch; see `rollout`.

        Args:
            inputs: dict with `"frames"` and `"poses"`, (B, T, H, W, 3).

        Returns:
            (B, T-1, *latent_shape) float32, standard normal.

        Raises:
            UserError: for wrong shapes.
        """
        check_clip(inputs["frames"].shape, inputs["poses"].shape)
        shape, rows = self._noise_shape(inputs["frames"]), ops.shape(inputs["frames"])[0]
        return own_rows(lambda n: random.normal((n, *shape), seed=self.rng), rows)

    def _noise_shape(self, frames: Tensor) -> tuple:
        return (frames.shape[1] - 1, *self.latent_shape(frames.shape[2:4]))

    def feed_back(self, frame: Tensor) -> Tensor:
        """What the next step of a rollout sees of a predicted frame (B, H, W, 3)."""
        return ops.stop_gradient(frame) if self.stop_feedback_gradient else frame

    # === Training ===

    def train_step(self, *data: Any) -> Any:
        """Rolls out a batch and takes an optimiser step; see `backend_steps` for the arguments."""
        return backend_steps().train_step(self, *data)

    def test_step(self, *data: Any) -> Any:
        """Loss, MSE and KL of a free rollout with z from the posterior, which sees the target."""
        return backend_steps().test_step(self, *data)

    def update_metrics(self, loss: Tensor, terms: dict, batch_size: Any) -> dict[str, Tensor]:
        """Adds a batch to the epoch's mean loss, MSE and KL, and returns them as logs."""
        for tracker in self._trackers:
            value = loss if tracker.name == "loss" else terms[tracker.name]
            tracker.update_state(value, sample_weight=batch_size)
        return {tracker.name: tracker.result() for tracker in self._trackers}

    @property
    def metrics(self) -> list:
        return self._trackers

    # === Rollout of true clips ===

    def call(self, inputs: dict[str, Tensor], training: bool = False) -> Rollout:
        """The free rollout with z from the posterior, which sees the target frames."""
        return self._roll_out(inputs, free_running, training)[1]

    def rollout(
        self, frames: Any, poses: Any, eps: Any = None, teacher_forcing: bool = False
    ) -> Rollout:
        """Predicts frames 1..T-1 of a clip with z from the posterior of the true frames.

        Args:
            frames: (B, T, H, W, 3), uint8 or floats in [0, 1].
            poses: the same shape; `poses[:, t]` belongs to frame t.
            eps: (B, T-1, *latent_shape) noise, or `None` to sample it.
            teacher_forcing: bool, predict from the true frame before instead of the prediction.

        Returns:
            `Rollout(pred, mu, logvar)`.

        Raises:
            UserError: for wrong shapes, number types or ranges.
        """
        check_batch({"frames": frames, "poses": poses})
        inputs = {"frames": frames, "poses": poses} | ({} if eps is None else {"eps": eps})
        inputs = {name: ops.convert_to_tensor(value) for name, value in inputs.items()}
        return self._roll_out(inputs, teacher_forced if teacher_forcing else free_running)[1]

    def infer_latents(self, frames: np.ndarray, poses: np.ndarray) -> tuple:
        """The posterior of every frame of one video; see `Prediction.infer_latents`."""
        return self.prediction.infer_latents(frames, poses)

    def compare_to_prior(self, frames: np.ndarray, poses: np.ndarray) -> tuple:
        """What the posterior adds to the prior; see `Prediction.compare_to_prior`."""
        return self.prediction.compare_to_prior(frames, poses)

    # === Prediction ===

    def predict_video(
        self,
        first_frames: np.ndarray,
        poses: np.ndarray,
        temperature: float | None = None,
        seed: int | None = None,
        z: np.ndarray | None = None,
    ) -> np.ndarray:
        """Predicts whole videos, z from the prior; see `keras_cvae.predictor.Predictor`."""
        return self.predictor.predict_video(first_frames, poses, temperature, seed, z)

    def predict_pieces(self, *arguments: Any, **options: Any) -> Iterator[np.ndarray]:
        """Yields some frames of `predict_video` at a time; see `Predictor.predict_pieces`."""
        return self.predictor.predict_pieces(*arguments, **options)

    def stream_video(self, *arguments: Any, **options: Any) -> Iterator[np.ndarray]:
        """Yields the frames of `predict_video` one at a time; see `Predictor.stream_video`."""
        return self.predictor.stream_video(*arguments, **options)

    @property
    def predictor(self) -> Predictor:
        """The loop over poses around this model's step, with its temperature and frame size."""
        noted = {name: getattr(self, name) for name in ("temperature", "frame_size", "poses")}
        return self.prediction.predictor(**noted)

    def latent_shape(self, frame_size: tuple[int, int]) -> tuple[int, int, int]:
        """Shape of one frame's z, see `Architecture.latent_shape`."""
        height, width = frame_size
        return self.architecture.latent_shape((height, width))

    @property
    def frame_size(self) -> tuple[int, int] | None:
        """(height, width) of the frames that the model was last trained on or made for."""
        return self._frame_size

    def note_frame_size(self, size: Iterable[int] | None) -> None:
        """Keeps the (height, width) of the frames that the model is for, or `None`."""
        # Compared first: a step is compiled again for what changes in it.
        noted = None if size is None else tuple(map(int, size))
        if getattr(self, "_frame_size", ()) != noted:
            self._frame_size: Any = noted
