"""Cost of a step against clip length, batch, resolution and width; memory of a long video."""

import dataclasses
import math

import numpy as np

from keras_cvae.benchmark.cases import OURS, Case
from keras_cvae.benchmark.process import Worker, WorkerFailed
from keras_cvae.benchmark.results import table
from keras_cvae.benchmark.run import Report, measure, spread

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
    *("exponent", "peak_memory_mb", "step_memory_mb", "resident_mb"),
)
MEMORY = "rollout_frame"  # the axis of the readings of resident memory
LINEAR = 0.15  # how far an exponent may be from 1 to be called linear
_READINGS = 20
_FLAT_SHARE, _FLAT_MB = 0.01, 5.0  # growth after the first tenth of a video that is called none


def axis_cases(
    preset,
    backend,
    precision,
    batch,
    clip_length,
    frame_size,
    clip_lengths=CLIP_LENGTHS,
    batches=BATCHES,
    resolutions=RESOLUTIONS,
    width_factors=WIDTHS,
    widths=None,
):
    """The cases along each axis, the others at their base values: dict axis -> {value: `Case`}.

    Args:
        preset, backend, precision: names.
        batch, clip_length, frame_size: the base values.
        clip_lengths, batches, resolutions, width_factors: the values of each axis; `resolutions`
            are pairs of whole factors of the frame size.
        widths: the four widths that replace the preset's, or `None`.
    """
    base = Case(
        *("train_free", OURS, preset, backend, precision, batch, clip_length),
        *frame_size,
        widths,
    )
    height, width = frame_size
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


def run_sizes(axes, repeats, memory_case, on_measured=lambda m: None):
    """Measures training along each axis, and the memory of a long prediction.

    Args:
        axes: as of `axis_cases`.
        repeats: int, of each case.
        memory_case: `Case` of the prediction, whose `clip_length` is the number of frames.
        on_measured: function that gets the list of `Measurement` of each finished axis.

    Returns:
        `(rows, report)`: dicts with the keys `COLUMNS`, and a `Report` with failures and notes.
    """
    report = Report([], {}, {}, [], [])
    rows = []
    for axis, cases in axes.items():
        begun = len(report.measurements)
        measure(list(cases.values()), report, repeats, groups=[list(cases.values())])
        measured = {m.case: m for m in report.measurements[begun:]}
        rows += _axis_rows(axis, {v: measured[c] for v, c in cases.items() if c in measured})
        on_measured(list(measured.values()))
    try:
        with Worker(memory_case.backend) as worker:
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


def _settings(case):
    names = ("preset", "backend", "precision", "batch", "clip_length", "height", "width")
    return {name: getattr(case, name) for name in names}


def _axis_rows(axis, measured):
    rows = []
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


def exponent(values, seconds):
    """The p of seconds ~ value ** p, by least squares of the logarithms; NaN of one value."""
    if len(values) < 2:
        return math.nan
    return float(np.polyfit(np.log(values), np.log(seconds), 1)[0])


def linear_from(values, seconds):
    """The smallest value from which on every step to the next has an exponent close to 1.

    Args:
        values, seconds: lists, values ascending.

    Returns:
        The value, or `None` where the last step is not linear either.
    """
    start = None
    for i in range(len(values) - 2, -1, -1):
        if abs(exponent(values[i : i + 2], seconds[i : i + 2]) - 1) > LINEAR:
            break
        start = values[i]
    return start


def memory_verdict(readings):
    """Says in one line whether resident memory is flat after the first tenth of a video.

    Args:
        readings: list of pairs (frame number, MB or `None`).
    """
    readings = [(frame, mb) for frame, mb in readings if mb is not None]
    if len(readings) < 2:
        return "resident memory is not known on this system"
    last, end = readings[-1]
    frame, begin = next(pair for pair in readings if pair[0] >= last / 10)
    growth = end - begin
    flat = growth <= max(_FLAT_MB, _FLAT_SHARE * begin)
    return (
        f"resident memory is {'flat' if flat else 'NOT flat'}: {begin:.0f} MB at frame {frame:,}, "
        f"{end:.0f} MB at frame {last:,} ({growth:+.1f} MB)"
    )


def summary(rows):
    """What the rows say, a line for each axis and one for the memory: list of str."""
    lines = []
    for axis, what in AXES.items():
        values, seconds = columns_of(rows, axis)
        if len(values) < 2:
            continue
        begin = linear_from(values, seconds)
        linear = f"linear from {begin:g} on" if begin is not None else "not linear"
        overall = exponent(values, seconds)
        lines.append(f"{what}: seconds grow with the power {overall:.2f}; {linear}")
    lines += _saved_memory(rows)
    readings = [(row["value"], row["resident_mb"]) for row in rows if row["axis"] == MEMORY]
    return [*lines, *([memory_verdict(readings)] if readings else [])]


def _saved_memory(rows):
    """What rematerialisation saves at the longest clip, if it was measured."""
    kept, anew = (
        {row["value"]: row for row in rows if row["axis"] == axis}
        for axis in ("clip_length", "rematerialised")
    )
    longest = max(kept.keys() & anew.keys(), default=None)
    if longest is None or not kept[longest]["step_memory_mb"]:
        return []
    memory, seconds = (
        anew[longest][key] / kept[longest][key] for key in ("step_memory_mb", "seconds")
    )
    return [
        f"rematerialised, a step of {longest} frames takes {memory:.2f} of the memory and "
        f"{seconds:.2f} times the seconds"
    ]


def columns_of(rows, axis):
    """The values and the seconds of an axis, as two lists."""
    chosen = [row for row in rows if row["axis"] == axis]
    return [row["value"] for row in chosen], [row["seconds"] for row in chosen]


def markdown(rows, described, notes=()):
    """Tables of all axes and of the memory, with the machine on top: str."""
    lines = [f"- {name}: {value}" for name, value in described.items()]
    lines += [f"- note: {note}" for note in notes]
    lines += ["", "Seconds of a free-running training step, median and smallest to largest. "]
    lines[-1] += "Exponent: from the value before; 1 is linear."
    lines += ["", *(f"- {line}" for line in summary(rows))]
    for axis, what in AXES.items():
        chosen = [row for row in rows if row["axis"] == axis]
        if chosen:
            header = [what, "size", "seconds", "frames/s", "exponent", "memory of a step, MB"]
            lines += ["", *table(header, [_cells(row) for row in chosen], numbers=0)]
    readings = [row for row in rows if row["axis"] == MEMORY]
    if readings:
        body = [[f"{row['value']:,}", _mb(row["resident_mb"])] for row in readings]
        lines += ["", *table(["predicted frames", "resident memory, MB"], body, numbers=0)]
    return "\n".join(lines) + "\n"


def _cells(row):
    return [
        f"{row['value']:g}",
        f"{row['batch']} x {row['clip_length']} x {row['height']} x {row['width']}",
        f"{row['seconds']:.3g} ({row['seconds_min']:.3g} - {row['seconds_max']:.3g})",
        f"{row['frames_per_s']:.3g}",
        f"{row['exponent']:.2f}" if "exponent" in row else "",
        _mb(row["step_memory_mb"]),
    ]


def _mb(value):
    return "" if value is None else f"{value:.0f}"
