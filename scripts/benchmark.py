#!/usr/bin/env python
"""Compares our models with the plain PyTorch loop, on each installed backend; see --help."""

import argparse
import dataclasses
import sys
from collections.abc import Sequence
from pathlib import Path

from benchmarking import cases, machine, results, run
from benchmarking.settings import DEFAULTS, LOOP, resolve

from keras_cvae import cli
from keras_cvae.backend.choice import BACKENDS
from keras_cvae.model.presets import PRESETS

NOT_QUOTED = "--quick: fewer cases and repeats; not to be quoted"


def main(arguments: list[str] | None = None) -> int:
    options = parse(arguments)
    with cli.reported_errors():
        settings = resolve(options)
        for flag in ("csv", "markdown", "plot"):
            if getattr(options, flag):
                results.check_new_file(getattr(options, flag), f"--{flag}")
        described = machine.describe(settings.get("gpu"))
        cli.show({**settings, **described})
        notes = [note for note in (machine.busy(), NOT_QUOTED if options.quick else None) if note]
        for note in notes:
            print(f"note: {note}", flush=True)
        measured = measure_sizes if options.sizes else measure_speed
        return measured(options, settings, described, notes)


def parse(arguments: list[str] | None = None) -> argparse.Namespace:
    parser = argparse.ArgumentParser(
        description="Measure training, prediction and loading, and compare them with the plain "
        "PyTorch loop of the published model (tests/reference_torch.py). Repeats are interleaved, "
        "each configuration runs in a process of its own. Run nothing else at the same time. In "
        "brackets: the default.",
        allow_abbrev=False,
    )
    what = parser.add_argument_group("what is measured")
    what.add_argument(
        "--device",
        choices=cases.PRECISIONS,
        default="cpu",
        help="(cpu; gpu measures ours and the plain loop on a GPU, without exported models)",
    )
    what.add_argument("--presets", nargs="+", choices=PRESETS, help="(lab multiscale)")
    what.add_argument(
        "--backends",
        nargs="+",
        choices=BACKENDS,
        help="(all that are installed and see the device; JAX takes minutes for lab on a GPU)",
    )
    what.add_argument(
        "--precisions",
        nargs="+",
        choices=cases.PRECISIONS["gpu"],
        help="(all; tf32 on a GPU alone, where float32 is without it)",
    )
    what.add_argument("--tasks", nargs="+", choices=cases.TASKS, help="(all)")
    what.add_argument(
        "--repeats",
        type=int,
        metavar="N",
        help=f"repeats of each ({DEFAULTS['repeats']}; at most {run.FIRST_STEPS} of first_step)",
    )
    mode = parser.add_mutually_exclusive_group()
    mode.add_argument("--quick", action="store_true", help="minutes, a few cases; not to be quoted")
    mode.add_argument(
        "--sizes",
        action="store_true",
        help="instead: cost of one preset (multiscale) on one backend against clip length, batch, "
        "resolution and width, and memory of a long prediction",
    )
    size = parser.add_argument_group("sizes")
    size.add_argument("--batch-size", type=int, metavar="N", help="clips of a training step (2)")
    size.add_argument("--clip-length", type=int, metavar="N", help="frames of a clip (16)")
    size.add_argument(
        "--frame-size", type=int, nargs=2, metavar=("HEIGHT", "WIDTH"), help="(32 64)"
    )
    size.add_argument(
        "--rollout-frames",
        type=int,
        metavar="N",
        help="frames of a rollout at batch 1; at batch 8 an eighth (630; with --sizes 10001)",
    )
    files = parser.add_argument_group("new files to write at the end")
    files.add_argument("--csv", type=Path, metavar="FILE", help="a row for each configuration")
    files.add_argument("--markdown", type=Path, metavar="FILE", help="machine and tables")
    files.add_argument("--plot", type=Path, metavar="FILE.png", help="with --sizes: the figure")
    return parser.parse_args(arguments)


def measure_speed(
    options: argparse.Namespace, settings: dict, described: dict[str, str], notes: list[str]
) -> int:
    """Measures the cases against the plain loop, prints and writes the table.

    Args:
        options: what `parse` gave.
        settings: what `resolve` gave.
        described: the machine, see `machine.describe`.
        notes: what a reader of the numbers has to know.

    Returns:
        The exit code: 1 if a case failed.
    """
    shape = {
        "batch": settings["batch_size"],
        "clip_length": settings["clip_length"],
        "frame_size": tuple(settings["frame_size"]),
        "device": settings["device"],
    }
    if options.quick:
        chosen = cases.quick_cases(settings["backends"], **shape)
    else:
        names = ("tasks", "presets", "backends", "precisions", "rollout_frames")
        chosen = cases.make_cases(
            **{name: settings[name] for name in names}, **shape, exports=settings["exports"]
        )
    print(f"{len(chosen)} configurations; first the weights, operations and the peak", flush=True)

    def show(measurements):
        for row in results.make_rows(measurements, {}, {}):
            _say(results.line(row))

    repeats = settings["repeats"]
    first_steps = min(repeats, run.FIRST_STEPS)
    report = run.run_benchmark(chosen, LOOP, repeats, first_steps, on_measured=show)
    rows = results.make_rows(report.measurements, report.flops, report.peaks)
    notes = [*notes, *report.notes]
    text = results.markdown(rows, described, report.peaks, notes)
    print(f"\n{text}")
    return _finish(options, rows, results.COLUMNS, text, report.failures)


def measure_sizes(
    options: argparse.Namespace, settings: dict, described: dict[str, str], notes: list[str]
) -> int:
    """Measures the cost against sizes, prints and writes the tables; see `measure_speed`."""
    from benchmarking import sizes, sizes_results

    (preset,), (backend,), (precision,) = (
        settings[name] for name in ("presets", "backends", "precisions")
    )
    frame_size = tuple(settings["frame_size"])
    base = (preset, backend, precision, settings["batch_size"], settings["clip_length"], frame_size)
    memory_case = cases.Case(
        *("rollout", cases.OURS, preset, backend, precision, 1, settings["rollout_frames"]),
        *frame_size,
    )
    memory_case = dataclasses.replace(memory_case, device=settings["device"])

    def show(measurements):
        for row in results.make_rows(measurements, {}, {}):
            size = (row["batch"], row["clip_length"], row["height"], row["width"])
            _say(f"{' x '.join(map(str, size)):>18}: {row['seconds']:.3g} s a step")

    axes = sizes.axis_cases(*base, device=settings["device"])
    rows, report = sizes.run_sizes(axes, settings["repeats"], memory_case, show)
    text = sizes_results.markdown(rows, described, [*notes, *report.notes])
    print(f"\n{text}")
    if options.plot and rows:
        from benchmarking.plot import plot_sizes

        plot_sizes(rows, options.plot)
    return _finish(options, rows, sizes.COLUMNS, text, report.failures)


def _say(line: str) -> None:
    if sys.stderr.isatty():  # replaces the line of the progress
        print("\r\x1b[K", end="", file=sys.stderr, flush=True)
    print(line, flush=True)


def _finish(
    options: argparse.Namespace,
    rows: list[dict],
    columns: Sequence[str],
    text: str,
    failures: list[tuple[str, str]],
) -> int:
    if options.csv:
        results.write_csv(options.csv, rows, columns)
    if options.markdown:
        results.write_text(options.markdown, text)
    for path in (options.csv, options.markdown, options.plot):
        if path and path.exists():
            print(f"wrote {path}")
    for name, message in failures:
        print(f"failed: {name}: {message}", file=sys.stderr)
    return 1 if failures else 0


if __name__ == "__main__":
    sys.exit(main())
