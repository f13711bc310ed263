"""The measured cost against sizes as text: sentences and tables."""

from collections.abc import Mapping, Sequence

from benchmarking.growth import exponent, linear_from, memory_verdict
from benchmarking.results import table
from benchmarking.sizes import AXES, MEMORY


def summary(rows: Sequence[dict]) -> list[str]:
    """A line for each axis, and one each for rematerialisation and the memory."""
    lines: list[str] = []
    for axis, what in AXES.items():
        values, seconds = _columns(rows, axis)
        if len(values) < 2:
            continue
        begin = linear_from(values, seconds)
        linear = f"linear from {begin:g} on" if begin is not None else "not linear"
        overall = exponent(values, seconds)
        lines.append(f"{what}: seconds grow with the power {overall:.2f}; {linear}")
    lines += _saved_memory(rows)
    readings = [(row["value"], row["resident_mb"]) for row in rows if row["axis"] == MEMORY]
    return [*lines, *([memory_verdict(readings)] if readings else [])]


def _saved_memory(rows: Sequence[dict]) -> list[str]:
    """What rematerialisation saves at the longest clip, if it was measured."""
    kept, recomputed = (
        {row["value"]: row for row in rows if row["axis"] == axis}
        for axis in ("clip_length", "rematerialised")
    )
    longest = max(kept.keys() & recomputed.keys(), default=None)
    if longest is None or not kept[longest]["step_memory_mb"]:
        return []
    memory, seconds = (
        recomputed[longest][key] / kept[longest][key] for key in ("step_memory_mb", "seconds")
    )
    return [
        f"rematerialised, a step of {longest} frames takes {memory:.2f} of the memory and "
        f"{seconds:.2f} times the seconds"
    ]


def _columns(rows: Sequence[dict], axis: str) -> tuple[list, list]:
    """The values and the seconds of an axis, as two lists."""
    chosen = [row for row in rows if row["axis"] == axis]
    return [row["value"] for row in chosen], [row["seconds"] for row in chosen]


def markdown(rows: Sequence[dict], described: Mapping[str, str], notes: Sequence[str] = ()) -> str:
    """Tables of all axes and of the memory, with the machine on top."""
    lines = [f"- {name}: {value}" for name, value in described.items()]
    lines += [f"- note: {note}" for note in notes]
    lines += ["", "Seconds of a free-running training step, median and smallest to largest. "]
    lines[-1] += "Exponent: from the value before; 1 is linear."
    lines += ["", *(f"- {line}" for line in summary(rows))]
    on_gpu = bool(rows) and rows[0]["device"] == "gpu"
    memory = "GPU memory of a step, MB" if on_gpu else "memory of a step, MB"
    for axis, what in AXES.items():
        chosen = [row for row in rows if row["axis"] == axis]
        if chosen:
            header = [what, "size", "seconds", "frames/s", "exponent", memory]
            lines += ["", *table(header, [_cells(row) for row in chosen], numbers=0)]
    readings = [row for row in rows if row["axis"] == MEMORY]
    if readings:
        body = [[f"{row['value']:,}", _mb(row["resident_mb"])] for row in readings]
        lines += ["", *table(["predicted frames", "resident memory, MB"], body, numbers=0)]
    return "\n".join(lines) + "\n"


def _cells(row: dict) -> list[str]:
    return [
        f"{row['value']:g}",
        f"{row['batch']} x {row['clip_length']} x {row['height']} x {row['width']}",
        f"{row['seconds']:.3g} ({row['seconds_min']:.3g} - {row['seconds_max']:.3g})",
        f"{row['frames_per_s']:.3g}",
        f"{row['exponent']:.2f}" if "exponent" in row else "",
        _mb(row["step_memory_mb"]),
    ]


def _mb(value: float | None) -> str:
    return "" if value is None else f"{value:.0f}"
