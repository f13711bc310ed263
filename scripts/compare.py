#!/usr/bin/env python
"""Trains the three strategies of KL annealing alike and compares them in a report; see --help."""

import argparse
import dataclasses
import sys
import time
from pathlib import Path

from keras_cvae import cli, signals
from keras_cvae.errors import UserError
from keras_cvae.training import flags, study
from keras_cvae.training.resolve import resolve

QUICK_EPOCHS = 8  # fewer give the cyclical annealing one cycle, which is the monotonic one


def main(arguments: list[str] | None = None) -> int:
    parser = argparse.ArgumentParser(
        description="Train the three strategies of KL annealing (none, monotonic, cyclical) with "
        "the same seed, data order and budget, and write report.html, report.md and figures. "
        "Started again with the same settings and --out, it goes on where it stopped. In "
        "brackets: the default.",
        argument_default=argparse.SUPPRESS,
        allow_abbrev=False,
    )
    group = parser.add_argument_group("study")
    group.add_argument("--out", type=Path, metavar="STUDY", help="folder (studies/DATE-TIME)")
    group.add_argument("--seeds", type=int, metavar="N", help="seeds of each strategy (1)")
    group.add_argument(
        "--quick", action="store_true", help=f"{QUICK_EPOCHS} epochs, to see how it looks"
    )
    cli.add_device(group)
    flags.add_arguments(parser, without=("--kl-anneal", "--minutes"))
    given = vars(parser.parse_args(arguments))
    out = given.pop("out", None) or Path("studies") / time.strftime("%Y%m%d-%H%M%S")
    seeds, quick = given.pop("seeds", 1), given.pop("quick", False)
    device = given.pop("device")
    if quick:
        given.setdefault("epochs", QUICK_EPOCHS)

    with cli.reported_errors():
        config = resolve(given)
        plan = study.planned(config, seeds)
        study.check_study(out, plan)
        stored = study.stored_backend(out, plan)
        backend = cli.start_backend(stored, device)
        if stored not in (None, backend):
            raise UserError(
                f"The runs in {out} were begun on {stored}, and this is {backend}; set "
                f"KERAS_BACKEND={stored}, or give --out a new folder."
            )
        print(f"study: {out}; {len(plan)} runs")
        shown = dataclasses.asdict(config)
        del shown["kl_anneal"]
        cli.show(shown)

        from keras_cvae.report.write import write_report

        try:
            finished, stopped = study.train_study(out, plan)
        except (KeyboardInterrupt, OSError) as error:
            go_on = f"the same settings with --out {out} go on"
            if isinstance(error, OSError):
                print(f"error: {error}; {go_on}", file=sys.stderr)
                return 2
            print(f"\nstopped; {go_on}", flush=True)
            return signals.exit_code(error)
        if finished:
            for path in write_report(finished, out, "Strategies of KL annealing"):
                print(path)
    for message in stopped:
        print(f"stopped: {message}", file=sys.stderr)
    return 1 if stopped else 0


if __name__ == "__main__":
    sys.exit(main())
