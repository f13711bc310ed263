"""Everything that fixes a training run. A setting is declared once, here."""

import argparse
import dataclasses
import math
from typing import Any

from keras_cvae.backend.compiling import CHOICES as COMPILE
from keras_cvae.errors import UserError
from keras_cvae.images import DEFAULT_FRAME_SIZE, SSIM_WINDOW, chosen_frame_size
from keras_cvae.model.presets import KL_REDUCTIONS, MODEL_RECIPES, OUTPUT_BOUNDS, PRESETS
from keras_cvae.predictor import PRIORS
from keras_cvae.schedules import KL_STRATEGIES, kl_weight, teacher_forcing_ratio
from keras_cvae.training.setting import (
    above,
    at_least,
    check_settings,
    flag_name,
    setting,
    within,
)

DEFAULT_PRESET, DEFAULT_RECIPE = "multiscale", "recommended"
PRECISIONS = ("float32", "mixed_bfloat16", "mixed_float16")


def _of_model(name: str, convert: Any = lambda value: value) -> dict:
    """The defaults that the recipes give the model, which has the last word on them."""
    recommended, published = (
        MODEL_RECIPES[recipe][name] for recipe in (DEFAULT_RECIPE, "published")
    )
    return {"default": convert(recommended), "published": convert(published)}


def _number_or_none(text: str) -> float | None:
    if text == "none":
        return None
    try:
        return float(text)
    except ValueError:
        raise argparse.ArgumentTypeError(f"{text!r} is neither a number nor 'none'") from None


_DATA, _MODEL, _TRAINING = "data", "model", "training"
_SCHEDULES = "KL annealing and teacher forcing"


@dataclasses.dataclass
class TrainingConfig:
    """A training run, complete: what `config.json` holds. `resolve` makes it."""

    data: str = setting(
        _DATA,
        "'builtin', 'builtin-ball' or a folder in the dance-lab layout",
        "builtin",
        metavar="FOLDER",
    )
    cache: str | None = setting(
        _DATA, "folder for decoded images, memory-mapped", None, metavar="FOLDER"
    )
    frame_size: tuple[int, int] = setting(
        _DATA,
        "size of the images; default that of the folder's dataset.json, if it has one",
        DEFAULT_FRAME_SIZE,
        metavar=("HEIGHT", "WIDTH"),
    )
    partial: float = setting(_DATA, "share of the training frames to use", 1.0, metavar="SHARE")
    clip_length: int = setting(_DATA, "frames in a training clip", 16, metavar="T")
    stride: int | None = setting(
        _DATA, "one clip per so many frames; default the clip length", None, metavar="N"
    )
    batch_size: int = setting(
        _DATA, "clips in a batch; of a folder as helps by its frames", 4, published=2, metavar="B"
    )
    mirror: bool = setting(
        _DATA,
        "add all videos mirrored, if the folder has joints.npz; else mirror half of the clips",
        False,
    )
    init: str | None = setting(
        _MODEL, "start from its weights: a run folder or a .keras file", None, metavar="MODEL"
    )
    preset: str = setting(_MODEL, "architecture and widths", DEFAULT_PRESET, choices=PRESETS)
    recipe: str = setting(_MODEL, "defaults of all the rest", DEFAULT_RECIPE, choices=MODEL_RECIPES)
    output: str = setting(
        _MODEL,
        "how predictions are bounded to [0, 1]",
        **_of_model("output"),
        choices=OUTPUT_BOUNDS,
    )
    feedback_gradient: str = setting(
        _MODEL,
        "at the fed-back frame",
        **_of_model("stop_feedback_gradient", lambda stop: "stop" if stop else "flow"),
        choices=("stop", "flow"),
    )
    kl_reduction: str = setting(
        _MODEL,
        "KL over the latent elements",
        **_of_model("kl_reduction"),
        choices=KL_REDUCTIONS,
    )
    ssim_weight: float = setting(
        _MODEL,
        "weight of 1 - SSIM in the loss, such as 0.01; 0 for none",
        **_of_model("ssim_weight"),
        check=at_least(0),
        metavar="X",
    )
    prior: str = setting(
        _MODEL,
        "of z: N(0, I), or learned from the pose, or from the previous frame and the pose",
        **_of_model("prior"),
        choices=PRIORS,
    )
    logvar_bound: float | None = setting(
        _MODEL,
        "bound of the log-variance, or 'none'",
        **_of_model("logvar_bound"),
        check=above(0, or_none=True),
        parse=_number_or_none,
        metavar="X",
    )
    temperature: float = setting(
        _MODEL,
        "scale of the prior noise in prediction",
        **_of_model("temperature"),
        check=at_least(0),
        metavar="X",
    )
    epochs: int = setting(
        _TRAINING,
        "number of epochs; of a folder as many as help by its frames",
        16,
        published=70,
        check=at_least(1),
        metavar="N",
    )
    minutes: float | None = setting(
        _TRAINING, "time of the command, instead of --epochs", None, check=above(0), metavar="M"
    )
    optimizer: str = setting(_TRAINING, "optimiser", "adam", choices=("adam", "adamw"))
    lr: float = setting(
        _TRAINING, "learning rate", 3e-3, published=1e-3, check=above(0), metavar="X"
    )
    lr_schedule: str = setting(
        _TRAINING,
        "cosine falls to a hundredth; step to 0.3 at half of the steps and 0.1 at three quarters",
        "cosine",
        published="constant",
        choices=("constant", "cosine", "step"),
    )
    clipnorm: float = setting(
        _TRAINING,
        "bound of the global gradient norm, 0 for none",
        1.0,
        check=at_least(0),
        metavar="X",
    )
    ema: float = setting(
        _TRAINING,
        "momentum of an average of the weights, 0 for none",
        0.0,
        check=within(0, 1),
        metavar="X",
    )
    accumulate: int = setting(
        _TRAINING, "batches per optimiser step", 1, check=at_least(1), metavar="N"
    )
    kl_anneal: str = setting(
        _SCHEDULES,
        "how beta changes by epoch",
        "none",
        published="monotonic",
        choices=KL_STRATEGIES,
    )
    kl_cycles: int | None = setting(
        _SCHEDULES,
        "ramps of the cyclical annealing; default at most 10, of 3 epochs or more",
        None,
        metavar="N",
    )
    kl_ratio: float = setting(_SCHEDULES, "the ramp's share of a cycle", 1.0, metavar="SHARE")
    kl_start: float = setting(_SCHEDULES, "beta at a ramp's beginning", 0.0, metavar="BETA")
    kl_stop: float = setting(
        _SCHEDULES, "beta at its end, or always", 0.001, published=1.0, metavar="BETA"
    )
    tfr: float = setting(
        _SCHEDULES, "teacher-forcing ratio at first", 0.0, published=1.0, metavar="RATIO"
    )
    tfr_start_decay: int = setting(_SCHEDULES, "epochs before it falls", 10, metavar="N")
    tfr_decay_step: float = setting(_SCHEDULES, "its fall per epoch", 0.1, metavar="X")
    precision: str = setting(_TRAINING, "of the arithmetic", "float32", choices=PRECISIONS)
    compile: str = setting(_TRAINING, "the step; auto does where it pays", "auto", choices=COMPILE)
    rematerialise: bool = setting(
        _TRAINING,
        "a fraction of the memory for up to 2.5 times the time: for long clips",
        False,
    )
    validate_every: int | None = setting(
        _TRAINING,
        "epochs from validation to validation; default 2, of a folder about 8 validations in all",
        None,
        published=1,
        check=at_least(1),
        metavar="N",
    )
    tensorboard: bool = setting(
        _TRAINING, "logs in RUN/tensorboard, with the rollout at each validation", False
    )
    seed: int = setting(_TRAINING, "of weights, noise, coin and data order", 0, check=at_least(0))
    _: dataclasses.KW_ONLY
    schedule_epochs: int  # the epochs that the run was begun with: schedules keep their length

    def model_overrides(self) -> dict:
        """The model's constructor arguments that the settings fix."""
        return {
            "output": self.output,
            "stop_feedback_gradient": self.feedback_gradient == "stop",
            "kl_reduction": self.kl_reduction,
            "ssim_weight": self.ssim_weight,
            "prior": self.prior,
            "logvar_bound": self.logvar_bound,
            "temperature": self.temperature,
            "rematerialise": self.rematerialise,
        }

    def kl_schedule(self) -> dict:
        """Arguments of `KLAnnealing`."""
        return {
            "strategy": self.kl_anneal,
            "epochs": self.schedule_epochs,
            "cycles": self.kl_cycles,
            "ratio": self.kl_ratio,
            "start": self.kl_start,
            "stop": self.kl_stop,
        }

    def forcing_schedule(self) -> dict:
        """Arguments of `TeacherForcing`."""
        return {
            "start": self.tfr,
            "start_decay_epoch": self.tfr_start_decay,
            "decay_step": self.tfr_decay_step,
        }

    def validation_schedule(self) -> dict:
        """Arguments of `ValidationPSNR` and of what shows its predictions."""
        return {"every": self.validate_every}

    def check(self) -> None:
        """Checks what no run can have; `Clips` checks what concerns the data.

        Raises:
            UserError: for the first value that does not fit.
        """
        chosen_frame_size(self.frame_size)
        for name, value in dataclasses.asdict(self).items():
            if isinstance(value, float) and not math.isfinite(value):
                raise UserError(f"{flag_name(name)} must be a finite number; got {value}.")
        check_settings(self)
        if self.ssim_weight and min(self.frame_size) < SSIM_WINDOW:
            raise UserError(
                f"--ssim-weight needs frames of at least {SSIM_WINDOW} x {SSIM_WINDOW} pixels; got "
                f"--frame-size {self.frame_size[0]} {self.frame_size[1]}."
            )
        if self.schedule_epochs < 1:
            raise UserError(f"schedule_epochs must be at least 1; got {self.schedule_epochs}.")
        cycles = 1 if self.kl_cycles is None else self.kl_cycles
        kl_weight(0, **{**self.kl_schedule(), "cycles": cycles})
        teacher_forcing_ratio(0, **self.forcing_schedule())
