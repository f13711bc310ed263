"""Everything that fixes a training run, and how flags and recipes become it."""

import argparse
import dataclasses
import math
import os

from keras_cvae import compiling
from keras_cvae.model.presets import KL_REDUCTIONS, MODEL_RECIPES, OUTPUT_BOUNDS, PRESETS
from keras_cvae.schedules import KL_STRATEGIES, kl_weight, teacher_forcing_ratio

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


def add_arguments(parser, without=()):
    """Adds the training flags to an `ArgumentParser`, grouped; those not given stay absent.

    Args:
        parser: `argparse.ArgumentParser`, made with `argument_default=argparse.SUPPRESS`.
        without: flags to leave out.
    """
    defaults = resolve({})

    def add(group, name, text, **kwargs):
        if name in without:
            return
        field = name[2:].replace("-", "_")
        default = getattr(defaults, field)
        if field in TRAINING_RECIPES["published"] or field in _RECIPE_FIELDS:
            published = getattr(resolve({"recipe": "published"}), field)
            shown = f"{_shown(default)}; published: {_shown(published)}"
        else:
            shown = _shown(default)
        group.add_argument(name, help=f"{text} ({shown})", **kwargs)

    data = parser.add_argument_group("data")
    add(data, "--data", "'builtin' or a folder in the dance-lab layout", metavar="FOLDER")
    add(data, "--frame-size", "size of the images", nargs=2, type=int, metavar=("HEIGHT", "WIDTH"))
    add(data, "--partial", "share of the training frames to use", type=float, metavar="SHARE")
    add(data, "--clip-length", "frames in a training clip", type=int, metavar="T")
    add(data, "--stride", "one clip per so many frames; default the clip length", type=int)
    add(data, "--batch-size", "clips in a batch", type=int, metavar="B")
    add(data, "--mirror", "mirror half of the clips left to right", action="store_true")
    add(data, "--cache", "folder for decoded images, memory-mapped", metavar="FOLDER")

    model = parser.add_argument_group("model")
    add(model, "--init", "start from its weights: a run folder or a .keras file", metavar="MODEL")
    add(model, "--preset", "architecture and widths", choices=PRESETS)
    add(model, "--recipe", "defaults of all the rest", choices=MODEL_RECIPES)
    add(model, "--output", "how predictions are bounded to [0, 1]", choices=OUTPUT_BOUNDS)
    add(model, "--feedback-gradient", "at the fed-back frame", choices=("stop", "flow"))
    add(model, "--kl-reduction", "KL over the latent elements", choices=KL_REDUCTIONS)
    add(model, "--logvar-bound", "bound of the log-variance, or 'none'", type=_bound, metavar="X")
    add(model, "--temperature", "scale of the prior noise in prediction", type=float, metavar="X")

    training = parser.add_argument_group("training")
    add(training, "--epochs", "number of epochs", type=int, metavar="N")
    add(training, "--optimizer", "optimiser", choices=("adam", "adamw"))
    add(training, "--lr", "learning rate", type=float, metavar="X")
    add(
        training,
        "--lr-schedule",
        "cosine falls to a hundredth; step to 0.3 at half of the steps and 0.1 at three quarters",
        choices=("constant", "cosine", "step"),
    )
    add(training, "--clipnorm", "bound of the global gradient norm, 0 for none", type=float)
    add(training, "--ema", "momentum of an average of the weights, 0 for none", type=float)
    add(training, "--accumulate", "batches per optimiser step", type=int, metavar="N")
    add(training, "--precision", "of the arithmetic", choices=PRECISIONS)
    add(training, "--compile", "the step; auto does where it pays", choices=compiling.CHOICES)
    add(
        training,
        "--rematerialise",
        "a fraction of the memory for 1.6 to 2 times the time: for long clips",
        action="store_true",
    )
    add(training, "--validate-every", "epochs from validation to validation", type=int, metavar="N")
    add(
        training,
        "--tensorboard",
        "logs in RUN/tensorboard, with the roll-out at each validation",
        action="store_true",
    )
    add(training, "--seed", "of weights, noise, coin and data order", type=int)

    schedules = parser.add_argument_group("KL annealing and teacher forcing")
    add(schedules, "--kl-anneal", "how beta changes by epoch", choices=KL_STRATEGIES)
    add(schedules, "--kl-cycles", "ramps of the cyclical annealing", type=int, metavar="N")
    add(schedules, "--kl-ratio", "the ramp's share of a cycle", type=float, metavar="SHARE")
    add(schedules, "--kl-start", "beta at a ramp's beginning", type=float, metavar="BETA")
    add(schedules, "--kl-stop", "beta at its end, or always", type=float, metavar="BETA")
    add(schedules, "--tfr", "teacher-forcing ratio at first", type=float, metavar="RATIO")
    add(schedules, "--tfr-start-decay", "epochs before it falls", type=int, metavar="N")
    add(schedules, "--tfr-decay-step", "its fall per epoch", type=float, metavar="X")


_RECIPE_FIELDS = ("output", "feedback_gradient", "kl_reduction", "logvar_bound", "temperature")


def _bound(text):
    if text == "none":
        return None
    try:
        return float(text)
    except ValueError:
        raise argparse.ArgumentTypeError(f"{text!r} is neither a number nor 'none'") from None


def _shown(value):
    if isinstance(value, (tuple, list)):
        return " ".join(map(str, value))
    return "none" if value is None else str(value)
