"""A training run from its configuration: data, model, callbacks, `fit`, results."""

import contextlib
import dataclasses
import time
from pathlib import Path

import keras
import numpy as np
from keras.callbacks import ModelCheckpoint

from keras_cvae import plots, runs
from keras_cvae.backend import compiling
from keras_cvae.backend.device import device_name, on_gpu
from keras_cvae.backend.exchange import first_alone, leave, share
from keras_cvae.backend.keras_private import AveragedWeights
from keras_cvae.backend.process import process
from keras_cvae.callbacks import (
    EpochReport,
    KLAnnealing,
    NaNGuard,
    RolloutVideo,
    StopOnInterrupt,
    TeacherForcing,
    TensorBoardLogs,
    TrainingState,
    ValidationPSNR,
)
from keras_cvae.callbacks.tensorboard_logs import writer_class
from keras_cvae.callbacks.training_state import read_training_state
from keras_cvae.errors import UserError
from keras_cvae.files import write_json
from keras_cvae.model.cvae import CVAE
from keras_cvae.model.loading import load_model
from keras_cvae.training.begin import begin, new_model
from keras_cvae.training.config import TrainingConfig
from keras_cvae.training.data import RunData, check_same_data, load_data
from keras_cvae.training.length import rollout_interval
from keras_cvae.training.results import write_results


class TrainingStopped(Exception):
    """Training ended before its last epoch because the loss was no longer a number."""


def train(
    config: TrainingConfig,
    run: str | Path,
    resume: bool = False,
    started: float | None = None,
    data_changed: bool = False,
) -> dict | None:
    """Trains a model and writes everything about it into a run folder.

    Several processes that `keras_cvae.distribution.start` joined train together. The first reads
    the data, writes and prints; after the last epoch the others are done.

    Args:
        config: the complete configuration.
        run: the run folder: new, or with `resume` that of the unfinished run.
        resume: bool, go on where the run in the folder stopped.
        started: `time.monotonic()` at the start of the process; `None` is now.
        data_changed: whether to go on although the data are not those that the run was begun with.
            The best model then counts from here.

    Returns:
        dict, what `metrics.json` holds; `None` in all processes but the first.

    Raises:
        UserError: for bad data, a folder that exists, nothing to resume, data that changed, or a
            run that another process trains.
        TrainingStopped: if the NaN guard ended training.
        KeyboardInterrupt: after Ctrl-C; the state of the last finished epoch is in the folder.
    """
    started = time.monotonic() if started is None else started
    run = Path(run)
    with contextlib.ExitStack() as held:
        with first_alone() as first:
            if resume and first:
                held.enter_context(runs.locked(run))
        return _train(config, run, resume, started, data_changed, held)


def _train(
    config: TrainingConfig,
    run: Path,
    resume: bool,
    started: float,
    data_changed: bool,
    held: contextlib.ExitStack,
) -> dict | None:
    backend = keras.backend.backend()
    _check_precision(config.precision, backend)
    _, how = compiling.choose(config.compile, backend)
    print(
        f"device: {device_name()}; arithmetic: {config.precision}; step compiled: {how}",
        flush=True,
    )
    if config.tensorboard:
        writer_class()
    keras.utils.set_random_seed(config.seed)
    data = load_data(config)
    restored = None
    with first_alone() as first:
        changed = first and resume and check_same_data(run, data, data_changed)
    changed = share(changed)
    if resume and (run / runs.LAST).exists():
        restored = read_training_state(run / runs.LAST)
        if restored["epoch"] > config.epochs:
            raise UserError(
                f"{run} has trained {restored['epoch']} epochs already; --epochs can only raise "
                f"that, got {config.epochs}."
            )
        if changed:  # the best PSNR so far is of other data
            restored["callbacks"] = {
                name: values
                for name, values in restored["callbacks"].items()
                if _BestCheckpoint.__name__ not in name
            }
        model = load_model(run / runs.LAST)
        model.architecture.check_frame_size(config.frame_size)
        print(f"going on after epoch {restored['epoch']} of {config.epochs}", flush=True)
    elif resume:
        model = new_model(config, data)
    else:
        model, config = begin(config, data, started)
    model.poses = data.poses(config.data)
    # The folder is made, or touched, when nothing is left that could be wrong with the settings.
    with first_alone() as first:
        if first and resume:
            runs.remove_partial_files(run)
            write_json(run / runs.CONFIG, _stored(config, backend))
        elif first:
            runs.create_run(run, _stored(config, backend))
            held.enter_context(runs.locked(run))
        if first and not changed:  # else after an epoch: until then it is no run on these data
            data.store(run)
    validated = sum(len(video.frames) for video in data.videos["val"])
    trainable = sum(int(np.prod(weight.shape)) for weight in model.trainable_variables)
    print(
        f"{trainable:,} trainable parameters; {data.clips.num_frames} training frames"
        f"{' (half of them mirrored)' if data.twins else ''} in "
        f"{len(data.clips)} batches an epoch, {validated} validation frames; kl is in "
        f"{plots.KL_UNITS[config.kl_reduction]}",
        flush=True,
    )
    if restored is None or restored["epoch"] < config.epochs:
        _fit(model, data, config, run, restored, changed)
    elif changed and process().first:
        data.store(run)
    first = process().first
    leave()
    if not first:
        return None
    return write_results(run, data.videos["train"], data.videos, started)


class _BestCheckpoint(ModelCheckpoint):
    """Keras' checkpoint of the best epoch, which alone would save epochs without a value too."""

    def on_epoch_end(self, epoch, logs=None):
        if np.isfinite((logs or {}).get(self.monitor, np.nan)):
            super().on_epoch_end(epoch, logs)


def _fit(
    model: CVAE,
    data: RunData,
    config: TrainingConfig,
    run: Path,
    restored: dict | None,
    changed: bool,
) -> None:
    guard, interrupt = NaNGuard(), StopOnInterrupt()
    checkpoint = _BestCheckpoint(
        str(run / runs.BEST), monitor="val_psnr", mode="max", save_best_only=True
    )
    averaged = [AveragedWeights(swap_on_epoch=True)] if config.ema else []
    validated = config.validation_schedule()
    validation = ValidationPSNR(data.videos["val"], **validated)
    watched = []
    if config.tensorboard:
        watched.append(TensorBoardLogs(run / "tensorboard", validation, **validated))

    unit = plots.KL_UNITS[config.kl_reduction]

    def write_history(history):
        if changed:
            data.store(run)
        runs.write_history(run / runs.HISTORY, history)
        if "val_psnr" in history[-1]:  # a figure takes as long as many a short epoch
            plots.plot_history(
                runs.as_columns(history), run / "curves.png", overwrite=True, kl_unit=unit
            )

    state = TrainingState(
        run / runs.LAST,
        data=data.clips,
        callbacks=[checkpoint, *averaged],
        restored=restored,
        on_saved=write_history,
    )
    try:
        model.fit(
            data.clips,
            epochs=config.epochs,
            initial_epoch=restored["epoch"] if restored else 0,
            shuffle=False,
            verbose=0,
            callbacks=[
                KLAnnealing(**config.kl_schedule()),
                TeacherForcing(**config.forcing_schedule()),
                *averaged,
                guard,
                interrupt,
                validation,
                RolloutVideo(
                    validation, run / "rollouts", every=rollout_interval(config.schedule_epochs)
                ),
                RolloutVideo(validation, run, name="newest_rollout.gif", **validated),
                *watched,
                checkpoint,
                EpochReport(),
                state,
            ],
        )
    finally:
        interrupt.restore_handler()
    if guard.message:
        raise TrainingStopped(guard.message)
    if process().first and not (run / runs.BEST).exists():
        raise TrainingStopped(
            "Training ended, but no validation gave a finite PSNR, so that there is no best model. "
            "Try a bounded output (--output sigmoid), or a lower learning rate."
        )


def _stored(config, backend):
    """What `config.json` holds: the configuration, and what the run runs on."""
    return {**dataclasses.asdict(config), "environment": runs.environment(backend)}


def _check_precision(precision, backend):
    if precision == "mixed_float16" and backend == "torch" and not on_gpu():
        raise UserError(
            "mixed_float16 does not work with torch on a CPU (its convolutions have no "
            "gradient there). Use --precision mixed_bfloat16 or float32."
        )
