"""Cost of a step against clip length, batch, resolution and width; memory of a long video."""

import dataclasses
from collections.abc import Iterable
from typing import Any

from benchmarking.cases import OURS, Case
from benchmarking.growth import exponent
from benchmarking.measurement import Measurement, Report, spread
from benchmarking.process import Worker, WorkerFailed
from benchmarking.run import OnMeasured, measure

CLIP_LENGTHS = (4, 8, 16, 32, 64)
BATCHES = (1, 2, 4, 8, 16)
RESOLUTIONS = ((1, 1), (2, 1), (2, 2), (4, 2), (4, 4))  # of height and width, times the base
WIDTHS = (0.5, 1.0, 1.5, 2.0)  # times the preset's; the latent keeps its maps
AXES = {
    "clip_length": "frames of a clip",
    "rematerialised": "frames of a clip, rematerialised",
    "batch": "clips of a batch",
    "pixels": "pixels of a frame",
    "width_factor": "widths, times the preset's",
}
COLUMNS = (
    *("axis", "value", "preset", "backend", "precision", "batch", "clip_length", "height", "width"),
    *("width_factor", "seconds", "seconds_min", "seconds_max", "repeats", "frames_per_s"),
    *("exponent", "peak_memory_mb", "step_memory_mb", "resident_mb", "device"),
)
MEMORY = "rollout_frame"  # the axis of the readings of resident memory
_READINGS = 20


def axis_cases(
    preset: str,
    backend: str,
    precision: str,
    batch: int,
    clip_length: int,
    frame_size: tuple[int, int],
    clip_lengths: Iterable[int] = CLIP_LENGTHS,
    batches: Iterable[int] = BATCHES,
    resolutions: Iterable[tuple[int, int]] = RESOLUTIONS,
    width_factors: Iterable[float] = WIDTHS,
    widths: tuple[int, int, int, int] | None = None,
    device: str = "cpu",
) -> dict[str, dict[Any, Case]]:
    """The cases along each axis, the others at their base values, by axis and value.

    Args:
        preset, backend, precision: names.
        batch, clip_length, frame_size: the base values.
        clip_lengths, batches, resolutions, width_factors: the values of each axis; `resolutions`
            are pairs of whole factors of the frame size.
        widths: the four widths that replace the preset's, or `None`.
        device: `"cpu"` or `"gpu"`.
    """
    height, width = frame_size
    base = Case(
        *("train_free", OURS, preset, backend, precision),
        *(batch, clip_length, height, width, widths),
        device=device,
    )
    wide = base.width_arguments()

    def scaled(factor):
        return tuple(
            n if name == "latent_maps" else max(1, round(n * factor)) for name, n in wide.items()
        )

    def along(values, **of):
        return {v: dataclasses.replace(base, **{k: f(v) for k, f in of.items()}) for v in values}

    sizes = {height * v * width * h: (height * v, width * h) for v, h in resolutions}
    lengths = sorted({*clip_lengths, clip_length})
    return {
        "clip_length": along(lengths, clip_length=int),
        "rematerialised": along(lengths, clip_length=int, rematerialise=lambda _: True),
        "batch": along(sorted({*batches, batch}), batch=int),
        "pixels": along(sizes, height=lambda n: sizes[n][0], width=lambda n: sizes[n][1]),
        "width_factor": along(width_factors, widths=scaled),
    }


def run_sizes(
    axes: dict[str, dict[Any, Case]],
    repeats: int,
    memory_case: Case,
    on_measured: OnMeasured = lambda _: None,
) -> tuple[list[dict], Report]:
    """Measures training along each axis, and the memory of a long prediction.

    Args:
        axes: as from `axis_cases`.
        repeats: of each case.
        memory_case: the prediction; its `clip_length` is the number of frames.
        on_measured: gets the list of `Measurement` of each finished axis.

    Returns:
        `(rows, report)`: dicts with the keys `COLUMNS`, and a `Report` with failures and notes.
    """
    report = Report()
    rows: list[dict] = []
    for axis, cases in axes.items():
        begun = len(report.measurements)
        measure(list(cases.values()), report, repeats, groups=[list(cases.values())])
        measured = {m.case: m for m in report.measurements[begun:]}
        rows += _axis_rows(axis, {v: measured[c] for v, c in cases.items() if c in measured})
        on_measured(list(measured.values()))
    try:
        with Worker(memory_case.backend, memory_case.device) as worker:
            every = max(1, (memory_case.clip_length - 1) // _READINGS)
            asked = dataclasses.asdict(memory_case)
            readings = worker.ask("stream", case=asked, every=every)["readings"]
    except WorkerFailed as error:
        report.failures.append(("memory of a long prediction", str(error)))
    else:
        settings = _settings(memory_case)
        rows += [
            {"axis": MEMORY, "value": frame, **settings, "resident_mb": mb}
            for frame, mb in readings
        ]
    return rows, report


def _settings(case: Case) -> dict:
    names = ("preset", "backend", "precision", "batch", "clip_length", "height", "width")
    return {"device": case.device} | {name: getattr(case, name) for name in names}


def _axis_rows(axis: str, measured: dict[Any, Measurement]) -> list[dict]:
    rows: list[dict] = []
    for value, measurement in measured.items():
        seconds, shortest, longest = spread(measurement.step_seconds)
        row = {
            "axis": axis,
            "value": value,
            **_settings(measurement.case),
            "width_factor": value if axis == "width_factor" else 1.0,
            "seconds": seconds,
            "seconds_min": shortest,
            "seconds_max": longest,
            "repeats": len(measurement.repeats),
            "frames_per_s": spread(measurement.rates)[0],
            "peak_memory_mb": measurement.peak_mb,
            "step_memory_mb": measurement.step_mb,
        }
        if rows:
            row["exponent"] = exponent([rows[-1]["value"], value], [rows[-1]["seconds"], seconds])
        rows.append(row)
    return rows
