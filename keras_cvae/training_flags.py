"""The flags of a training run."""

import argparse

from keras_cvae import compiling
from keras_cvae.model.presets import KL_REDUCTIONS, MODEL_RECIPES, OUTPUT_BOUNDS, PRESETS
from keras_cvae.schedules import KL_STRATEGIES
from keras_cvae.training_config import PRECISIONS, TRAINING_RECIPES, resolve


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
