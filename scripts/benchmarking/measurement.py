"""The measurements of one case, and of a whole run."""

import dataclasses
import statistics
from collections.abc import Sequence

from benchmarking.cases import Case


@dataclasses.dataclass
class Measurement:
    """The measurements of one case.

    Args:
        case: what is measured.
        repeats: dicts with `seconds`, `frames` (predicted) and `steps`.
        plain_rates: frames per second of the plain loop's repeats in between, or `None`.
        peak_mb: the largest resident memory of the process, on a GPU what its arrays took of the
            GPU's memory, or `None`.
        step_mb: the part of it that the steps added to model and data, or `None`.
        host_mb: the largest resident memory of the process, on a GPU too, or `None`.
        loss: of the first step, or `None`.
    """

    case: Case
    repeats: list[dict] = dataclasses.field(default_factory=list)
    plain_rates: list[float] | None = None
    peak_mb: float | None = None
    step_mb: float | None = None
    host_mb: float | None = None
    loss: float | None = None

    @property
    def rates(self) -> list[float]:
        """Predicted frames per second of each repeat."""
        return [repeat["frames"] / repeat["seconds"] for repeat in self.repeats]

    @property
    def step_seconds(self) -> list[float]:
        """Seconds per step of each repeat."""
        return [repeat["seconds"] / repeat["steps"] for repeat in self.repeats]

    def note_reply(self, reply: dict) -> None:
        """Keeps a reply's memory, the largest of the replies, and the first loss."""
        for name in ("peak_mb", "step_mb", "host_mb"):
            values = [v for v in (getattr(self, name), reply.get(name)) if v is not None]
            setattr(self, name, max(values, default=None))
        if self.loss is None:
            self.loss = reply.get("loss")


@dataclasses.dataclass
class Report:
    """Everything that a run measures.

    Args:
        measurements: of all cases.
        peaks: FLOP/s of the matrix product by precision; empty where it was not measured.
        flops: FLOP per predicted frame by (preset, task).
        failures: pairs (name of the case, what went wrong).
        notes: what a reader of the numbers has to know.
    """

    measurements: list[Measurement] = dataclasses.field(default_factory=list)
    peaks: dict[str, float] = dataclasses.field(default_factory=dict)
    flops: dict[tuple[str, str], float] = dataclasses.field(default_factory=dict)
    failures: list[tuple[str, str]] = dataclasses.field(default_factory=list)
    notes: list[str] = dataclasses.field(default_factory=list)


def spread(values: Sequence[float]) -> tuple[float, float, float]:
    """Median, smallest and largest of numbers."""
    return statistics.median(values), min(values), max(values)
