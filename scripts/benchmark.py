#!/usr/bin/env python
"""Compares our models with the plain PyTorch loop, on each installed backend; see --help."""

import argparse
import importlib.util
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from benchmarking import cases, machine, results, run

from keras_cvae import cli
from keras_cvae.backend.choice import BACKENDS
from keras_cvae.errors import UserError
from keras_cvae.exporting.formats import FORMATS
from keras_cvae.model.presets import PRESETS

LOOP = Path(__file__).resolve().parents[1] / "tests" / "reference_torch.py"
NOT_QUOTED = "--quick: fewer cases and repeats; not to be quoted"
DEFAULTS = {"repeats": 5, "batch_size": 2, "clip_length": 16, "frame_size": (32, 64)}
LONG_VIDEO = 10_001  # frames of the prediction whose memory --sizes measures


def main(arguments: list[str] | None = None) -> int:
    options = parse(arguments)
    with cli.reported_errors():
        settings = resolve(options)
        for flag in ("csv", "markdown", "plot"):
            if getattr(options, flag):
                results.check_new_file(getattr(options, flag), f"--{flag}")
        described = machine.describe()
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
    what.add_argument("--presets", nargs="+", choices=PRESETS, help="(lab multiscale)")
    what.add_argument(
        "--backends",
        nargs="+",
        choices=BACKENDS,
        help="(all that are installed; JAX compiles for longer and trains slower on a CPU)",
    )
    what.add_argument("--precisions", nargs="+", choices=cases.PRECISIONS, help="(both)")
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


def resolve(options: argparse.Namespace) -> dict:
    """All settings with their defaults, as they are printed on top.

    Raises:
        UserError: for settings that do not go together or cannot be measured here.
    """
    fixed = {"quick": ("presets", "precisions", "tasks", "rollout_frames"), "sizes": ("tasks",)}
    for mode, flags in fixed.items():
        refused = [flag for flag in flags if getattr(options, mode) and getattr(options, flag)]
        if refused:
            names = " ".join(f"--{flag.replace('_', '-')}" for flag in refused)
            raise UserError(f"--{mode} has its own cases; leave out {names}.")
    if options.plot and not options.sizes:
        raise UserError("--plot draws what --sizes measures; give --sizes, or leave it out.")
    if options.plot and options.plot.suffix.lower() != ".png":
        raise UserError(f"--plot writes a PNG; got {options.plot}. Give a name that ends in .png.")
    installed = [name for name in BACKENDS if importlib.util.find_spec(name)]
    backends = options.backends or installed
    if missing := [name for name in backends if name not in installed]:
        raise UserError(
            f"{missing[0]} is not installed. Install it with pip install "
            f"'keras_cvae[{missing[0]}]', or leave it out of --backends."
        )
    if options.quick:
        backends = [name for name in backends if name in cases.QUICK_BACKENDS]
    if not backends:
        raise UserError("None of the backends to measure is installed: give other --backends.")
    settings: dict[str, Any] = {
        "presets": options.presets or ["lab", "multiscale"],
        "backends": list(dict.fromkeys(backends)),
        "precisions": options.precisions or list(cases.PRECISIONS),
        "tasks": options.tasks or list(cases.TASKS),
        "rollout_frames": options.rollout_frames or 630,
        "exports": _exports(backends),
        **{name: getattr(options, name) or default for name, default in DEFAULTS.items()},
    }
    if options.quick:
        settings["repeats"] = options.repeats or 3
        for own in ("presets", "precisions", "tasks", "rollout_frames", "exports"):
            del settings[own]
    if options.sizes:
        settings["presets"] = options.presets or ["multiscale"]
        settings["precisions"] = options.precisions or ["float32"]
        settings["backends"] = settings["backends"] if options.backends else backends[:1]
        settings["rollout_frames"] = options.rollout_frames or LONG_VIDEO
        del settings["tasks"], settings["exports"]
        for name in ("presets", "backends", "precisions"):
            if len(settings[name]) > 1:
                raise UserError(f"--sizes measures one; got --{name} {' '.join(settings[name])}.")
    else:
        _check_plain_loop()
    _check_numbers(options)
    return settings


def _exports(backends: Sequence[str]) -> list[str]:
    """The formats that the backends to measure can write and whose runtime is installed."""
    formats = []
    for name, backend in cases.EXPORTS.items():
        needed = FORMATS[name].needs[backend]
        if backend in backends and all(importlib.util.find_spec(package) for package in needed):
            formats.append(name)
    return formats


def _check_plain_loop() -> None:
    if not LOOP.is_file():
        raise UserError(
            f"The plain PyTorch loop to compare with is part of the checkout: {LOOP} is missing. "
            "Run scripts/benchmark.py of a checkout, or measure with --sizes, which needs no loop."
        )
    if not importlib.util.find_spec("torch"):
        raise UserError(
            "The plain loop to compare with needs PyTorch, which is not installed. Install it with "
            "pip install 'keras_cvae[torch]', or measure with --sizes, which needs no loop."
        )


def _check_numbers(options: argparse.Namespace) -> None:
    for name, low in (
        ("repeats", 1),
        ("batch_size", 1),
        ("clip_length", 2),
        ("rollout_frames", 2),
    ):
        value = getattr(options, name)
        if value is not None and value < low:
            raise UserError(f"--{name.replace('_', '-')} must be at least {low}; got {value}.")
    if options.frame_size and min(options.frame_size) < 4:
        raise UserError(f"--frame-size must be at least 4 4; got {options.frame_size}.")


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

    def show(measurements):
        for row in results.make_rows(measurements, {}, {}):
            size = (row["batch"], row["clip_length"], row["height"], row["width"])
            _say(f"{' x '.join(map(str, size)):>18}: {row['seconds']:.3g} s a step")

    axes = sizes.axis_cases(*base)
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
