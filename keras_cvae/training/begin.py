"""A new run's model, and how long it trains."""

import time
import warnings

import keras

from keras_cvae.backend.exchange import share
from keras_cvae.data.sources import is_builtin
from keras_cvae.model.cvae import CVAE
from keras_cvae.progress import duration
from keras_cvae.training.budget import Costs
from keras_cvae.training.build import build_model, start_from
from keras_cvae.training.config import TrainingConfig
from keras_cvae.training.data import RunData
from keras_cvae.training.length import least_epochs
from keras_cvae.training.resolve import with_epochs
from keras_cvae.training.timing import DROPPED, TIMED, measure

MEASURED_FROM = 10 * (DROPPED + TIMED)  # batches: measuring a shorter training does not pay
MARGIN = 0.95  # share of --minutes to fill: no two steps take the same time


def begin(config: TrainingConfig, data: RunData, started: float) -> tuple[CVAE, TrainingConfig]:
    """Makes the model of a new run, and settles how long it trains.

    With `minutes`, a few steps are timed and the number of epochs follows. On a data folder the
    time is estimated so as well, and printed. A run that was measured is the same, bit by bit, as
    one that was not.

    Args:
        config: of `resolve`.
        data: of the run.
        started: `time.monotonic()` at the start of the process.

    Returns:
        The compiled model, and the complete configuration.

    Raises:
        UserError: if the model cannot have the frame size, `init` does not fit, or the measured
            epochs leave no room for the given cycles.
    """
    costs = None
    if config.minutes is not None:
        costs = measure(_built(config, data), data, config)
        # Of several processes the first one's clock counts.
        config = share(_fitted(config, data, costs, started))
        keras.utils.set_random_seed(config.seed)  # the same initial weights again
    model = new_model(config, data)
    if costs is None and not is_builtin(config.data) and _steps(config, data) >= MEASURED_FROM:
        costs = measure(model, data, config)
        keras.utils.set_random_seed(config.seed)
    if costs is not None or not is_builtin(config.data):
        print(_described(config, _steps(config, data), costs), flush=True)
    return model, config


def new_model(config: TrainingConfig, data: RunData) -> CVAE:
    """The compiled model of a complete configuration.

    Args:
        config, data: of the run.

    Returns:
        `CVAE`, with new weights or those of `init`.

    Raises:
        UserError: if it cannot have the frame size, or `init` does not fit.
    """
    model = _built(config, data)
    if config.init:
        start_from(model, config.init)
    return model


def _built(config: TrainingConfig, data: RunData) -> CVAE:
    model = build_model(config, _steps(config, data))
    model.architecture.check_frame_size(config.frame_size)
    return model


def _steps(config: TrainingConfig, data: RunData) -> int:
    """Batches of the whole training, by which the schedules are made."""
    return config.schedule_epochs * len(data.clips)


def _fitted(config: TrainingConfig, data: RunData, costs: Costs, started: float) -> TrainingConfig:
    """The configuration with as many epochs as fit into its minutes."""
    seconds = 60 * (config.minutes or 0)
    left = MARGIN * (seconds - (time.monotonic() - started) - costs.again)
    least = max(least_epochs(config.accumulate, len(data.clips)), 1)
    config = with_epochs(config, costs.fitting_epochs(left, config.validate_every, least))
    if (needed := costs.seconds(config.epochs, **config.validation_schedule())) > left:
        warnings.warn(
            f"the shortest training takes about {duration(needed)} more, longer than "
            f"--minutes {config.minutes:g}",
            stacklevel=4,
        )
    return config


def _described(config: TrainingConfig, batches: int, costs: Costs | None) -> str:
    clips = f"{config.batch_size} clip{'s' if config.batch_size > 1 else ''}"
    if config.accumulate > 1:
        clips = f"{config.accumulate} x {clips}"
    text = f"{batches // config.accumulate:,} steps of {clips} in {config.epochs} epochs"
    if costs is None:
        return text
    seconds = costs.seconds(config.epochs, **config.validation_schedule())
    return f"{text}, about {duration(seconds)} (ten steps measured)"
