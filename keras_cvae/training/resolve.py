"""A complete configuration from what the user set: the defaults of the recipe, and checks."""

import dataclasses
import os
import warnings

from keras_cvae.data.sources import is_builtin
from keras_cvae.errors import UserError, check_choice
from keras_cvae.model.presets import MODEL_RECIPES
from keras_cvae.schedules import default_cycles, has_ramps, most_cycles
from keras_cvae.training.config import DEFAULT_RECIPE, TrainingConfig
from keras_cvae.training.folder import settings_of_folder
from keras_cvae.training.length import LEAST_INTERVAL, validation_interval
from keras_cvae.training.setting import check_types, settings

# The recommended recipe's rate is the default preset's; with it `lab` was NaN after six steps.
RECOMMENDED_LR = {"lab": 3e-4, "lab_small": 1e-3}


def resolve(given: dict) -> TrainingConfig:
    """A complete configuration: what was given, and the defaults for the rest.

    The defaults are the recipe's. Those of a new run on a data folder follow from the folder, see
    `training.folder`; one line says what was chosen. With `minutes`, what depends on the number of
    epochs is open: `with_epochs` completes it when the time of a step is known.

    Args:
        given: the fields that the user set, or all of a stored run.

    Returns:
        `TrainingConfig`, checked.

    Raises:
        UserError: for values that no run can have.
    """
    check_types(TrainingConfig, given)
    recipe = given.get("recipe") or DEFAULT_RECIPE
    check_choice("recipe", recipe, MODEL_RECIPES)
    values = {name: each.default(recipe) for name, each in settings(TrainingConfig).items()}
    if recipe == DEFAULT_RECIPE and given.get("preset") in RECOMMENDED_LR:
        values["lr"] = RECOMMENDED_LR[given["preset"]]
    values |= {**given, "recipe": recipe}
    for name in ("data", "cache", "init"):  # a run may be resumed from another folder
        if values[name] is not None and not is_builtin(values[name]):
            values[name] = os.path.abspath(values[name])
    is_new = "schedule_epochs" not in values  # a stored run has it, and keeps its schedules
    open_epochs = is_new and values["minutes"] is not None
    if open_epochs and "epochs" in given:
        raise UserError(
            f"--minutes {values['minutes']:g} and --epochs {values['epochs']} both say how long "
            "the training is; give one of them."
        )
    if is_new and not is_builtin(values["data"]):
        values |= settings_of_folder(values, given)
    values["frame_size"] = tuple(values["frame_size"])
    values.setdefault("schedule_epochs", values["epochs"])
    if unknown := set(values) - {field.name for field in dataclasses.fields(TrainingConfig)}:
        raise UserError(
            f"Unknown settings {sorted(unknown)}; is this the configuration of another program, or "
            "of a later version?"
        )
    config = TrainingConfig(**values)
    config.check()
    return config if open_epochs else _completed(config, is_new)


def with_epochs(config: TrainingConfig, epochs: int) -> TrainingConfig:
    """The configuration of a new run with another number of epochs.

    Args:
        config: of `resolve`, with `minutes`.
        epochs: at least 1.

    Returns:
        A complete `TrainingConfig`, as if the epochs had been given.

    Raises:
        UserError: if the given cycles have no ramps in so many epochs.
    """
    config = dataclasses.replace(config, epochs=epochs, schedule_epochs=epochs)
    return _completed(config, is_new=True)


def _completed(config: TrainingConfig, is_new: bool) -> TrainingConfig:
    """What depends on the number of epochs, where it is open."""
    if config.validate_every is None:
        fixed = is_builtin(config.data) and config.minutes is None
        config.validate_every = LEAST_INTERVAL if fixed else validation_interval(config.epochs)
    one_ramp = False
    if config.kl_cycles is None:
        config.kl_cycles = default_cycles(config.schedule_epochs, config.kl_ratio)
        one_ramp = config.kl_anneal == "cyclical" and config.kl_cycles == 1
    if is_new:
        check_cycles(config)
    if one_ramp:
        warnings.warn(
            f"in {config.epochs} epochs the cyclical annealing has one ramp, as the monotonic one; "
            "give more --epochs, or --kl-cycles",
            stacklevel=3,
        )
    return config


def check_cycles(config: TrainingConfig) -> None:
    """Checks that the cyclical annealing of a new run has ramps. Stored runs keep what they had.

    Raises:
        UserError: if it has none; the message names the largest possible number of cycles.
    """
    epochs, cycles, ratio = config.schedule_epochs, config.kl_cycles or 1, config.kl_ratio
    if config.kl_anneal != "cyclical" or has_ramps(epochs, cycles, ratio):
        return
    most = most_cycles(epochs, ratio)
    advice = f"at most {most} have them" if most else "there is no room for even one"
    raise UserError(
        f"--kl-cycles {cycles} in {epochs} epochs leave no room for ramps (--kl-ratio {ratio:g}): "
        f"beta would be constant or jump; {advice}. Give fewer cycles or more --epochs."
    )
