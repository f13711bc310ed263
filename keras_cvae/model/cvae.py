"""The conditional variational auto-encoder for video, as a `keras.Model`."""

import math

import keras
from keras import metrics, ops, random

from keras_cvae.architectures import ARCHITECTURES
from keras_cvae.losses import frame_mse, gaussian_kl
from keras_cvae.model import presets
from keras_cvae.model.clip_rollout import ClipRollout, free_running
from keras_cvae.model.rollout import to_unit
from keras_cvae.model.saving import PortableModel
from keras_cvae.model.video_prediction import VideoPrediction
from keras_cvae.streaming import check_temperature
from keras_cvae.train_steps import backend_steps


@keras.saving.register_keras_serializable("keras_cvae")
class CVAE(backend_steps(), ClipRollout, VideoPrediction, PortableModel):
    """Predicts a video from its first frame and a sequence of pose images.

    A modification of SVG-FP (Denton & Fergus 2018, arXiv:1802.07687). In training a posterior
    q(z_t | x_t, c_t) of the current frame and pose gives the latent z_t, the decoder predicts x_t
    from the previous frame, the pose and z_t, and the loss is the negative ELBO, the mean over the
    frames of `mse_t + beta * kl_t`. In prediction z_t comes from the prior N(0, I).

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
            the whole roll-out.
        kl_reduction: `"sum"` over the latent elements, the ELBO as published, or `"mean"`: beta
            then weighs nats per latent element, whatever the frame size. Summed over thousands of
            elements the KL is all that the clipped gradient of the first steps sees.
        logvar_bound: float or `None`. Bounds the log-variance smoothly, so that exp(logvar) cannot
            overflow where beta is 0; `None` as published.
        temperature: float >= 0, scale of the prior noise in prediction, stored with the model:
            1 samples (as published), 0 is the most accurate.
        initialisation: `"scaled"` or `"pytorch"` (as published) initial weights, see
            `keras_cvae.layers.blocks.Block`. Scaled ones learn to copy the previous frame at once.
        frame_size: (height, width) of the frames that the model is for, which training notes and
            exporting takes; `None` where it is not known. The networks take any.
        rematerialise: bool. `True` trains with a fraction of the memory: activations are computed
            anew for the gradient, frame by frame, instead of being kept for the whole clip. The
            numbers are the same; a step took 1.6 to 2 times as long.
        seed: int or `None`, of the noise and the coin in training. (The initial weights follow
            `keras.utils.set_random_seed`.)

    Raises:
        ValueError: for an unknown name or a value out of its range.

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
        architecture="lab",
        frame_features=128,
        pose_features=32,
        latent_maps=12,
        decoder_features=192,
        output="sigmoid",
        stop_feedback_gradient=True,
        kl_reduction="mean",
        logvar_bound=4.0,
        temperature=0.0,
        initialisation="scaled",
        frame_size=None,
        rematerialise=False,
        seed=None,
        **kwargs,
    ):
        # Layers cast for themselves; targets and losses stay in float32.
        super().__init__(**{"autocast": False, **kwargs})
        _check_choice("architecture", architecture, ARCHITECTURES)
        _check_choice("output", output, presets.OUTPUT_BOUNDS)
        _check_choice("kl_reduction", kl_reduction, presets.KL_REDUCTIONS)
        if logvar_bound is not None and not 0 < logvar_bound < math.inf:
            raise ValueError(
                f"logvar_bound must be positive and finite, or None; got {logvar_bound}."
            )
        _check_choice("initialisation", initialisation, presets.INITIALISATIONS)
        check_temperature(temperature)

        # === Layers ===
        self.architecture = ARCHITECTURES[architecture](
            frame_features,
            pose_features,
            latent_maps,
            decoder_features,
            initialisation,
            dtype=self.dtype_policy,
            name="architecture",
        )
        self.architecture.build()

        # === Graph === (the state of training that is no layer's)
        self.beta = self._scalar("beta")
        self.teacher_forcing_ratio = self._scalar("teacher_forcing_ratio")
        self.rng = random.SeedGenerator(seed)
        self._trackers = [metrics.Mean(name=name) for name in ("loss", "mse", "kl")]
        self.make_predictor(output, logvar_bound)
        self.built = True

        # === Config ===
        self.output_bound = output
        self.stop_feedback_gradient = stop_feedback_gradient
        self.kl_reduction = kl_reduction
        self.logvar_bound = logvar_bound
        self.rematerialise = rematerialise
        self.temperature = float(temperature)
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
        }

    @classmethod
    def from_preset(cls, preset, recipe="recommended", **overrides):
        """Makes a model of a preset's widths with a recipe's options.

        Args:
            preset: `"multiscale"`, `"lab"` or `"lab_small"`.
            recipe: `"recommended"` or `"published"`.
            **overrides: constructor arguments that replace theirs.

        Returns:
            `CVAE`.
        """
        return cls(**{**presets.model_arguments(preset, recipe), **overrides})

    def _scalar(self, name):
        return self.add_weight(
            shape=(), initializer="ones", trainable=False, autocast=False, name=name
        )

    # --- the model's mathematics -------------------------------------------------------------

    def latent_shape(self, frame_size):
        """Shape of one frame's z for frames of `frame_size` (height, width).

        Raises:
            ValueError: for sizes that the architecture cannot have.
        """
        self.architecture.check_frame_size(tuple(frame_size))
        return self.architecture.latent_shape(tuple(frame_size))

    def negative_elbo(self, inputs, training):
        """The loss of a batch and its two terms: mean over clips and frames of mse + beta * kl.

        In training one coin, with the probability `teacher_forcing_ratio`, chooses between teacher
        forcing and the free roll-out for the batch. Else the roll-out is free.

        Args:
            inputs: dict with `"frames"`, `"poses"` and optionally `"eps"`, as for `rollout`.
            training: bool.

        Returns:
            `(loss, terms)`: a scalar, and a dict of the scalars `"mse"` and `"kl"`.
        """
        branches = free_running
        if training:
            # Drawn before the branch: no state changes inside it.
            coin = random.uniform((), seed=self.rng) < self.teacher_forcing_ratio

            def branches(forced, free):
                return ops.cond(coin, forced, free)

        rollout = self._roll_out(inputs, branches, training=training)
        truth = to_unit(inputs["frames"], "frames")[:, 1:]
        mse = ops.mean(frame_mse(truth, rollout.pred))
        kl = ops.mean(gaussian_kl(rollout.mu, rollout.logvar, self.kl_reduction))
        return mse + self.beta * kl, {"mse": mse, "kl": kl}

    # --- what Keras calls --------------------------------------------------------------------

    def unpack_batch(self, data):
        """The inputs of a batch `({"frames", "poses"},)` as Keras hands it to a step."""
        inputs, targets, weights = keras.utils.unpack_x_y_sample_weight(data)
        if targets is not None or weights is not None:
            raise ValueError(
                "CVAE predicts the frames of its input: a batch is ({'frames', 'poses'},), without "
                "targets or sample weights."
            )
        return inputs

    def update_metrics(self, loss, terms, batch_size):
        """Adds a batch to the epoch's mean loss, MSE and KL, and returns them as logs."""
        for tracker in self._trackers:
            value = loss if tracker.name == "loss" else terms[tracker.name]
            tracker.update_state(value, sample_weight=batch_size)
        return {tracker.name: tracker.result() for tracker in self._trackers}

    @property
    def metrics(self):
        return self._trackers

    def get_config(self):
        base = super().get_config()
        kept = {key: base[key] for key in ("name", "trainable", "dtype") if key in base}
        state = {"temperature": self.temperature, "frame_size": self.frame_size}
        return {**kept, **self._config, **state}


def _check_choice(name, value, choices):
    if value not in choices:
        raise ValueError(f"Unknown {name} {value!r}; expected one of {', '.join(choices)}.")
