"""Rows, csv and Markdown of what was measured."""

import csv
import os
import statistics
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from benchmarking.cases import EXPORTS, OURS, PLAIN, PRECISIONS
from benchmarking.measurement import Measurement, spread
from keras_cvae.errors import UserError
from keras_cvae.files import written_whole

COLUMNS = (
    *("task", "implementation", "preset", "backend", "precision", "batch"),
    *("frames_per_s", "ratio", "peak_memory_mb", "flops_share"),
    *("frames_per_s_min", "frames_per_s_max", "seconds", "seconds_min", "seconds_max", "repeats"),
    *("plain_frames_per_s", "step_memory_mb", "step_share", "loss"),
    *("clip_length", "height", "width", "device"),
)
_EXPLANATION = (
    "Predicted frames per second, batch x (frames - 1) / seconds: median of the repeats, and "
    "smallest to largest. Ratio: to the plain PyTorch loop of `lab` in float32{plain}, for the "
    "same task and batch, its repeats in between. Share: model FLOP/s over the {peak} matrices in "
    "the same run and precision. Memory: {memory}; in brackets the part that the steps add to "
    "model and data."
)
EXPLANATIONS = {
    "cpu": _EXPLANATION.format(
        plain="",
        peak="best FLOP/s of a product of two 2048 x 2048",
        memory="the largest resident memory of the process, interpreter and libraries included",
    ),
    "gpu": _EXPLANATION.format(
        plain=" without TF32 on the same GPU",
        peak="median FLOP/s of products of two 8192 x 8192",
        memory="the most that the process's arrays took of the GPU's memory",
    ),
}


def make_rows(
    measurements: Sequence[Measurement],
    flops: Mapping[tuple[str, str], float],
    peaks: Mapping[str, float],
) -> list[dict]:
    """A row for each case, as a dict with the keys `COLUMNS`; `None` where there is no value.

    Args:
        measurements: of finished cases.
        flops: FLOP per predicted frame by (preset, task).
        peaks: FLOP/s by precision.
    """
    rows = [_row(measurement, flops, peaks) for measurement in measurements]
    for row in rows:
        if row["task"] == "loader":
            row["step_share"] = _step_share(row, rows)
    return rows


def _row(measurement: Measurement, flops: Mapping, peaks: Mapping) -> dict:
    case = measurement.case
    rate, slowest, fastest = spread(measurement.rates)
    seconds, shortest, longest = spread(measurement.step_seconds)
    plain = statistics.median(measurement.plain_rates) if measurement.plain_rates else None
    return {
        "task": case.task,
        "implementation": case.implementation,
        "preset": case.preset,
        "backend": case.backend,
        "precision": case.precision,
        "batch": case.batch,
        "frames_per_s": rate,
        "ratio": rate / plain if plain else None,
        "peak_memory_mb": measurement.peak_mb,
        "flops_share": flops_share(
            rate, flops.get((case.preset, case.task)), peaks.get(case.precision)
        ),
        "frames_per_s_min": slowest,
        "frames_per_s_max": fastest,
        "seconds": seconds,
        "seconds_min": shortest,
        "seconds_max": longest,
        "repeats": len(measurement.repeats),
        "plain_frames_per_s": plain,
        "step_memory_mb": measurement.step_mb,
        "step_share": None,
        "loss": measurement.loss,
        "clip_length": case.clip_length,
        "height": case.height,
        "width": case.width,
        "device": case.device,
    }


def flops_share(rate: float, flops: float | None, peak: float | None) -> float | None:
    """FLOP/s at `rate` frames per second as a share of the peak; `None` without a count."""
    return rate * flops / peak if flops and peak else None


def _step_share(loader: dict, rows: Sequence[dict]) -> float | None:
    """The loader's seconds per batch over those of the fastest training step with such batches."""
    steps = [
        row["seconds"]
        for row in rows
        if row["task"] in ("train_free", "train_forced")
        and row["implementation"] == OURS
        and all(row[key] == loader[key] for key in ("preset", "backend", "batch"))
    ]
    return loader["seconds"] / min(steps) if steps else None


# --- files -------------------------------------------------------------------------------------


def check_new_file(path: str | os.PathLike, flag: str) -> None:
    """Checks that a file that is written at the end can be: it is new, and its folder exists.

    Raises:
        UserError: if not.
    """
    path = Path(path)
    if os.path.lexists(path):
        raise UserError(f"{path} exists, and results are never overwritten. Give another {flag}.")
    if not path.absolute().parent.is_dir():
        raise UserError(f"{flag} {path}: there is no folder {path.parent}. Make it first.")


def write_csv(
    path: str | os.PathLike, rows: Sequence[dict], columns: Sequence[str] = COLUMNS
) -> None:
    """Writes rows, numbers with six digits; a cell without a value is empty."""
    with written_whole(path) as partial, open(partial, "w", newline="") as file:
        writer = csv.DictWriter(file, columns)
        writer.writeheader()
        writer.writerows({key: _number(row.get(key)) for key in columns} for row in rows)


def _number(value: Any) -> Any:
    if value is None:
        return ""
    return f"{value:.6g}" if isinstance(value, float) else value


def write_text(path: str | os.PathLike, text: str) -> None:
    """Writes a text file, whole or not at all."""
    with written_whole(path) as partial:
        partial.write_text(text)


# --- for people --------------------------------------------------------------------------------


def line(row: dict) -> str:
    """A row as one line of the terminal."""
    ratio = "" if row["ratio"] is None else f"  {row['ratio']:5.2f} x plain"
    if row["step_share"] is not None:
        ratio = f"  {row['step_share']:.2%} of a training step"
    return (
        f"{row['task']:12}  {row['implementation']:14}  {row['preset']:10}  {row['backend']:10}  "
        f"{row['precision']:14}  batch {row['batch']:<2}  {_rate(row):>24} frames/s  "
        f"{_seconds(row['seconds']):>8}{ratio}"
    )


def markdown(
    rows: Sequence[dict],
    described: Mapping[str, str],
    peaks: Mapping[str, float],
    notes: Sequence[str] = (),
) -> str:
    """The table for the README as Markdown, with the machine, the peak and the notes on top.

    Args:
        rows: as from `make_rows`.
        described: the machine; see `machine.describe`.
        peaks: FLOP/s by precision.
        notes: what a reader of the numbers has to know.
    """
    device = rows[0]["device"] if rows else "cpu"
    lines = [f"- {name}: {value}" for name, value in {**described, **show_peaks(peaks)}.items()]
    lines += [f"- note: {note}" for note in notes]
    lines += ["", EXPLANATIONS[device], ""]
    header = ["task", "model", "backend", "precision", "batch", "frames", "frames/s", "s"]
    lines += table(
        [*header, "ratio", "share", "memory, MB"], [_cells(row) for row in rows], numbers=4
    )
    loaders = [row for row in rows if row["step_share"] is not None]
    if loaders:
        lines += ["", "The loader's time for a batch, as a share of the fastest training step:", ""]
        lines += [
            f"- `{row['preset']}` on {row['backend']}: {row['step_share']:.2%}" for row in loaders
        ]
    return "\n".join(lines) + "\n"


def show_peaks(peaks: Mapping[str, float]) -> dict[str, str]:
    """The measured peaks as strings by name."""
    return {
        f"peak {precision.removeprefix('mixed_')}": f"{peaks[precision] / 1e9:.0f} GFLOP/s"
        for precision in PRECISIONS["gpu"]
        if precision in peaks
    }


def table(header: Sequence[str], body: Sequence[Sequence], numbers: int) -> list[str]:
    """Lines of a Markdown table whose columns from `numbers` on are aligned to the right."""
    rule = ["---" if index < numbers else "---:" for index in range(len(header))]
    return [f"| {' | '.join(map(str, cells))} |" for cells in (header, rule, *body)]


def _cells(row: dict) -> list:
    model = "plain loop" if row["implementation"] == PLAIN else f"`{row['preset']}`"
    runs_on = row["implementation"] if row["implementation"] in EXPORTS else row["backend"]
    memory = "" if row["peak_memory_mb"] is None else f"{row['peak_memory_mb']:.0f}"
    if row["step_memory_mb"] is not None:
        memory += f" ({row['step_memory_mb']:.0f})"
    return [
        row["task"],
        model,
        runs_on,
        row["precision"],
        row["batch"],
        row["clip_length"],
        _rate(row),
        _seconds(row["seconds"]).removesuffix(" s"),
        "" if row["ratio"] is None else f"{row['ratio']:.2f}",
        "" if row["flops_share"] is None else f"{row['flops_share']:.0%}",
        memory,
    ]


def _rate(row: dict) -> str:
    values = (row["frames_per_s"], row["frames_per_s_min"], row["frames_per_s_max"])
    median, low, high = (f"{v:.0f}" if v >= 100 else f"{v:.3g}" for v in values)
    return f"{median} ({low} - {high})"


def _seconds(value: float) -> str:
    return f"{value:.3g} s"
