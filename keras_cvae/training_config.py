"""Everything that fixes a training run, and how recipes and what was given become it."""

import dataclasses
import math
import os

from keras_cvae.model.presets import MODEL_RECIPES
from keras_cvae.schedules import kl_weight, teacher_forcing_ratio

DEFAULT_PRESET, DEFAULT_RECIPE = "multiscale", "recommended"
PRECISIONS = ("float32", "mixed_bfloat16", "mixed_float16")

# The part of a recipe that training has; the model's part is in `model.presets`.
TRAINING_RECIPES = {
    "published": {
        "epochs": 70,
        "batch_size": 2,
        "lr": 1e-3,
        "lr_schedule": "constant",
        "kl_anneal": "monotonic",
        "kl_stop": 1.0,
        "tfr": 1.0,
        "tfr_start_decay": 10,
        "tfr_decay_step": 0.1,
        "validate_every": 1,
    },
    "recommended": {
        "epochs": 16,
        "batch_size": 4,
        "lr": 3e-3,
        "lr_schedule": "cosine",
        "kl_anneal": "none",
        "kl_stop": 0.001,
        "tfr": 0.0,
        "tfr_start_decay": 10,
        "tfr_decay_step": 0.1,
        "validate_every": 2,
    },
}
# The recommended recipe's rate is the default preset's; with it `lab` was NaN after six steps.
RECOMMENDED_LR = {"lab": 3e-4, "lab_small": 1e-3}


@dataclasses.dataclass
class TrainingConfig:
    """A training run, complete: what `config.json` holds. Fields are the flags of `train.py`."""

    data: str
    cache: str | None
    frame_size: tuple[int, int]
    partial: float
    clip_length: int
    stride: int | None
    batch_size: int
    mirror: bool
    init: str | None
    preset: str
    recipe: str
    output: str
    feedback_gradient: str
    kl_reduction: str
    logvar_bound: float | None
    temperature: float
    epochs: int
    optimizer: str
    lr: float
    lr_schedule: str
    clipnorm: float
    ema: float
    accumulate: int
    kl_anneal: str
    kl_cycles: int
    kl_ratio: float
    kl_start: float
    kl_stop: float
    tfr: float
    tfr_start_decay: int
    tfr_decay_step: float
    precision: str
    compile: str
    rematerialise: bool
    validate_every: int
    tensorboard: bool
    seed: int
    schedule_epochs: int

    def model_overrides(self):
        """The model's constructor arguments that the flags fix."""
        return {
            "output": self.output,
            "stop_feedback_gradient": self.feedback_gradient == "stop",
            "kl_reduction": self.kl_reduction,
            "logvar_bound": self.logvar_bound,
            "temperature": self.temperature,
            "rematerialise": self.rematerialise,
        }

    def kl_schedule(self):
        """Arguments of `KLAnnealing`."""
        return {
            "strategy": self.kl_anneal,
            "epochs": self.schedule_epochs,
            "cycles": self.kl_cycles,
            "ratio": self.kl_ratio,
            "start": self.kl_start,
            "stop": self.kl_stop,
        }

    def forcing_schedule(self):
        """Arguments of `TeacherForcing`."""
        return {
            "start": self.tfr,
            "start_decay_epoch": self.tfr_start_decay,
            "decay_step": self.tfr_decay_step,
        }

    def check(self):
        """Raises a `ValueError` for values that no run can have; the data's are checked there."""
        for name, value in dataclasses.asdict(self).items():
            if isinstance(value, float) and not math.isfinite(value):
                raise ValueError(
                    f"--{name.replace('_', '-')} must be a finite number; got {value}."
                )
        for name in ("epochs", "accumulate", "validate_every"):
            if getattr(self, name) < 1:
                raise ValueError(f"--{name.replace('_', '-')} must be at least 1.")
        for name in ("clipnorm", "temperature"):
            if getattr(self, name) < 0:
                raise ValueError(f"--{name} must not be negative.")
        if self.lr <= 0 or (self.logvar_bound is not None and self.logvar_bound <= 0):
            raise ValueError("--lr and --logvar-bound must be positive (the latter or 'none').")
        if not 0 <= self.ema < 1:
            raise ValueError(
                f"--ema is the momentum of the weights' average, in [0, 1); got {self.ema}. "
                "0 turns it off."
            )
        kl_weight(0, **self.kl_schedule())
        teacher_forcing_ratio(0, **self.forcing_schedule())


def resolve(given):
    """A complete configuration: what was given, and the recipe's and the common defaults.

    Args:
        given: dict of the fields that the user set.

    Returns:
        `TrainingConfig`, checked.

    Raises:
        ValueError: for values that no run can have.
    """
    recipe = given.get("recipe") or DEFAULT_RECIPE
    if recipe not in MODEL_RECIPES:
        raise ValueError(f"Unknown recipe {recipe!r}; expected one of {', '.join(MODEL_RECIPES)}.")
    model = MODEL_RECIPES[recipe]
    own_lr = {}
    if recipe == DEFAULT_RECIPE and given.get("preset") in RECOMMENDED_LR:
        own_lr["lr"] = RECOMMENDED_LR[given["preset"]]
    values = {
        "data": "builtin",
        "cache": None,
        "frame_size": (32, 64),
        "partial": 1.0,
        "clip_length": 16,
        "stride": None,
        "mirror": False,
        "init": None,
        "preset": DEFAULT_PRESET,
        "recipe": recipe,
        "output": model["output"],
        "feedback_gradient": "stop" if model["stop_feedback_gradient"] else "flow",
        "kl_reduction": model["kl_reduction"],
        "logvar_bound": model["logvar_bound"],
        "temperature": model["temperature"],
        "optimizer": "adam",
        "clipnorm": 1.0,
        "ema": 0.0,
        "accumulate": 1,
        "kl_cycles": 10,
        "kl_ratio": 1.0,
        "kl_start": 0.0,
        "precision": "float32",
        "compile": "auto",
        "rematerialise": False,
        "tensorboard": False,
        "seed": 0,
        **TRAINING_RECIPES[recipe],
        **own_lr,
        **given,
    }
    values["frame_size"] = tuple(values["frame_size"])
    for name in ("data", "cache", "init"):  # a run may be resumed from another folder
        if values[name] not in (None, "builtin"):
            values[name] = os.path.abspath(values[name])
    values.setdefault("schedule_epochs", values["epochs"])
    if unknown := set(values) - {field.name for field in dataclasses.fields(TrainingConfig)}:
        raise ValueError(
            f"Unknown settings {sorted(unknown)}; is this the configuration of another program, or "
            "of a later version?"
        )
    config = TrainingConfig(**values)
    config.check()
    return config
