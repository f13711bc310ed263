"""The published report's comparison: strategies of KL annealing with equal training."""

import dataclasses
import json
import os
from pathlib import Path

from keras_cvae import runs
from keras_cvae.errors import UserError
from keras_cvae.schedules import KL_STRATEGIES, kl_weight
from keras_cvae.training.config import TrainingConfig
from keras_cvae.training.resolve import check_cycles

RUNS = "runs"
_NOT_COMPARED = ("environment",)
_LEAST_EPOCHS = 8  # two cycles by default, see `schedules.default_cycles`

Plan = list[tuple[str, int, TrainingConfig]]


def run_folder(study: str | os.PathLike, strategy: str, seed: int) -> Path:
    """The run folder of a strategy and a seed."""
    return Path(study) / RUNS / f"{strategy}-seed{seed}"


def planned(config: TrainingConfig, seeds: int) -> Plan:
    """The runs of a study.

    Args:
        config: its `kl_anneal` is replaced by each strategy, and `seed` is the first of the seeds.
        seeds: int >= 1, how many.

    Returns:
        list of `(strategy, seed, config)`. All strategies have a seed before the next begins.

    Raises:
        UserError: if `seeds` is below 1, or two strategies would have the same beta in every epoch.
    """
    if seeds < 1:
        raise UserError(f"--seeds must be at least 1; got {seeds}.")
    _check_strategies_differ(config)
    return [
        (strategy, seed, dataclasses.replace(config, kl_anneal=strategy, seed=seed))
        for seed in range(config.seed, config.seed + seeds)
        for strategy in KL_STRATEGIES
    ]


def _check_strategies_differ(config: TrainingConfig) -> None:
    betas: dict[tuple, str] = {}
    for strategy in KL_STRATEGIES:
        of_strategy = dataclasses.replace(config, kl_anneal=strategy)
        schedule = of_strategy.kl_schedule()
        beta = tuple(kl_weight(epoch, **schedule) for epoch in range(config.schedule_epochs))
        if (other := betas.setdefault(beta, strategy)) != strategy:
            raise UserError(
                f"{other} and {strategy} have the same beta in each of {len(beta)} epochs, so "
                f"there is nothing to compare. Give more --epochs (at least {_LEAST_EPOCHS} with "
                "the default cycles), at least 2 --kl-cycles, or other --kl-start and --kl-stop."
            )
        check_cycles(of_strategy)


def check_study(study: str | os.PathLike, plan: Plan) -> None:
    """Checks that a folder is new, or holds runs of these settings.

    Raises:
        UserError: if it holds runs of other settings, or no study.
    """
    study = Path(study)
    if not study.exists():
        return
    if any(study.iterdir()) and not (study / RUNS).is_dir():
        raise UserError(f"{study} is no folder of a study; give --out a new one.")
    for strategy, seed, config in plan:
        folder = run_folder(study, strategy, seed)
        if not folder.exists():
            continue
        stored = {k: v for k, v in runs.read_config(folder).items() if k not in _NOT_COMPARED}
        wanted = json.loads(json.dumps(dataclasses.asdict(config)))
        if different := sorted(k for k in wanted if stored.get(k) != wanted[k]):
            name = different[0]
            raise UserError(
                f"{folder} was trained with {name} {stored.get(name)}, and now it is "
                f"{wanted[name]}. Give the same settings to go on, or --out a new folder."
            )


def stored_backend(study: str | os.PathLike, plan: Plan) -> str | None:
    """The backend that the runs of a study were begun on, `None` of a new study."""
    for strategy, seed, _ in plan:
        folder = run_folder(study, strategy, seed)
        if folder.exists():
            environment = runs.read_config(folder).get("environment")
            return environment.get("backend") if isinstance(environment, dict) else None
    return None


def train_study(study: str | os.PathLike, plan: Plan) -> tuple[dict[str, list[Path]], list[str]]:
    """Trains what is not finished yet; an unfinished run goes on where it stopped.

    Args:
        study: the study's folder.
        plan: as of `planned`.

    Returns:
        `(finished, stopped)`: dict strategy -> list of run folders, and a list of messages about
        runs whose loss was no longer a number.
    """
    import keras

    from keras_cvae.training.fit import TrainingStopped, train

    finished: dict[str, list[Path]] = {}
    stopped: list[str] = []
    for number, (strategy, seed, config) in enumerate(plan, start=1):
        folder = run_folder(study, strategy, seed)
        title = f"run {number} of {len(plan)}: {strategy}, seed {seed}"
        if (folder / runs.METRICS).is_file():
            print(f"{title}: finished already", flush=True)
        else:
            print(f"\n{title}: {folder}", flush=True)
            keras.backend.clear_session()
            try:
                train(config, folder, resume=folder.exists())
            except TrainingStopped as message:
                stopped.append(f"{strategy}, seed {seed}: {message}")
                continue
        finished.setdefault(strategy, []).append(folder)
    return finished, stopped
