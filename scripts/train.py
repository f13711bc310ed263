#!/usr/bin/env python
"""Trains a model on the built-in data or a folder of frames and poses; see --help."""

import argparse
import dataclasses
import shlex
import sys
import time
from pathlib import Path

from keras_cvae import cli, distribution, runs, signals
from keras_cvae.errors import UserError
from keras_cvae.training import flags
from keras_cvae.training.resolve import resolve

STARTED = time.monotonic()


def main(arguments: list[str] | None = None) -> int:
    parser = argparse.ArgumentParser(
        description="Train a pose-conditioned video predictor. In brackets: the default.",
        argument_default=argparse.SUPPRESS,
        allow_abbrev=False,
    )
    place = parser.add_argument_group("run folder")
    place.add_argument("--out", type=Path, help="new run folder (runs/DATE-TIME)")
    place.add_argument("--resume", type=Path, metavar="RUN", help="go on with an unfinished run")
    place.add_argument(
        "--data-changed",
        action="store_true",
        help="with --resume: go on although the data are not those that the run was begun with; "
        "the best model counts from there",
    )
    place.add_argument(
        "--distribute",
        choices=("auto", "off"),
        default="auto",
        help="auto trains on all devices (TensorFlow, JAX), or with all processes that torchrun "
        "started (torch); see docs/distributed.md",
    )
    cli.add_device(place)
    flags.add_arguments(parser)
    given = vars(parser.parse_args(arguments))
    out, resumed = given.pop("out", None), given.pop("resume", None)
    data_changed, distribute = given.pop("data_changed", False), given.pop("distribute")
    device = given.pop("device")  # not of the run: it may go on on another

    with cli.reported_errors():
        cli.print_from_first_alone()
        if data_changed and not resumed:
            raise UserError("--data-changed goes with --resume RUN: a new run takes any data.")
        # Of several processes the first lists the data folder, and names the run by its clock.
        first = distribution.launched().first
        config, backend, run = _asked(given, out, resumed) if first else (None, "torch", None)
        cli.start_backend(backend, device)
        cli.start_distribution(distribute)
        config, run = distribution.share((config, run))
        print(f"run folder: {run}")
        shown = dataclasses.asdict(config)
        if not resumed and config.minutes is not None:
            shown |= dict.fromkeys(("epochs", "schedule_epochs"), "as many as fit into the minutes")
        cli.show(shown)

        from keras_cvae.training.fit import TrainingStopped, train

        try:
            metrics = train(
                config,
                run,
                resume=resumed is not None,
                started=STARTED,
                data_changed=data_changed,
            )
        except TrainingStopped as stopped:
            if distribution.process().first:
                print(f"{stopped}\nThe state before it is in {run}.", file=sys.stderr)
            cli.end(1)
        except (KeyboardInterrupt, OSError) as error:
            if not run.exists() or not distribution.process().first:
                raise  # before the run folder was made: nothing to go on with
            command = f"python scripts/train.py --resume {shlex.quote(str(run))}"
            if isinstance(error, OSError):  # such as a full disk
                print(f"error: {error}; then go on with\n  {command}", file=sys.stderr)
                cli.end(2)
            print(f"\nstopped; go on with\n  {command}", flush=True)
            cli.end(signals.exit_code(error))
    if metrics is not None:  # in the first process
        _report(metrics, run)
    return 0


def _asked(given, out, resumed):
    """Configuration, backend (`None` for any) and folder of the run."""
    if resumed:
        return *_stored(resumed, given, out), resumed
    config, run = resolve(given), out or Path("runs") / time.strftime("%Y%m%d-%H%M%S")
    cli.check_out(run)
    return config, None, run


def _stored(run, given, out):
    """Configuration and backend of a run to go on with; its schedules keep their length."""
    refused = [*(["out"] if out is not None else []), *sorted(set(given) - {"epochs"})]
    if refused:
        raise UserError(
            "--resume goes on with the stored configuration; only --epochs may be given with it, "
            f"got --{' --'.join(name.replace('_', '-') for name in refused)}."
        )
    stored = runs.read_config(run)
    environment = stored.pop("environment", None)
    backend = environment.get("backend") if isinstance(environment, dict) else None
    try:
        return resolve({**stored, **given}), backend
    except UserError as error:
        raise UserError(f"{run / runs.CONFIG}: {error}") from error


def _report(metrics, run):
    print(f"\nfinished {metrics['epochs']} epochs after {metrics['seconds']:.0f} s; mean PSNR:")
    for split in ("val", "test"):
        if f"{split}_psnr" in metrics:
            print(f"  {split:26}  {_number(metrics[f'{split}_psnr'])} dB")
    for name, value in metrics["baselines"].items():
        print(f"  {'val, ' + name.replace('_', ' '):26}  {_number(value)} dB  (copied)")
    print(
        f"z on val: KL {_number(metrics['val_kl_nats'], '.3g')} nats per frame, "
        f"{metrics['val_active_maps']} of {metrics['val_latent_maps']} maps active; with the "
        f"posterior's z {_number(metrics['val_posterior_psnr'])} dB"
    )
    test = f", {run}/test.gif" if (run / "test.gif").exists() else ""
    print(f"look at {run}/val.gif{test}, {run}/curves.png, {run}/val_psnr_per_frame.png")


def _number(value, form=".2f"):
    return "not finite" if value is None else f"{value:{form}}"


if __name__ == "__main__":
    sys.exit(main())
