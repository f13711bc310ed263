"""What was measured of a case, and of all."""

import dataclasses
import statistics


@dataclasses.dataclass
class Measurement:
    """What was measured of a case.

    Args:
        case: `Case`.
        repeats: list of dicts with `seconds`, `frames` (predicted) and `steps`.
        plain_rates: frames per second of the plain loop's repeats in between, or `None`.
        peak_mb: float or `None`, the largest resident memory of the process.
        step_mb: float or `None`, of it what came after everything but the first step was done.
        loss: float or `None`, of the first step.
    """

    case: object
    repeats: list = dataclasses.field(default_factory=list)
    plain_rates: list | None = None
    peak_mb: float | None = None
    step_mb: float | None = None
    loss: float | None = None

    @property
    def rates(self):
        """Predicted frames per second of each repeat."""
        return [repeat["frames"] / repeat["seconds"] for repeat in self.repeats]

    @property
    def step_seconds(self):
        """Seconds per step of each repeat."""
        return [repeat["seconds"] / repeat["steps"] for repeat in self.repeats]

    def note_reply(self, reply):
        """Keeps a reply's memory, the largest of the replies, and the first loss."""
        for name in ("peak_mb", "step_mb"):
            values = [v for v in (getattr(self, name), reply.get(name)) if v is not None]
            setattr(self, name, max(values, default=None))
        if self.loss is None:
            self.loss = reply.get("loss")


@dataclasses.dataclass
class Report:
    """Everything a run gave.

    Args:
        measurements: list of `Measurement`.
        peaks: dict precision -> FLOP/s of the matrix product; empty where it was not measured.
        flops: dict (preset, task) -> FLOP per predicted frame.
        failures: list of pairs (name of the case, what went wrong).
        notes: list of str, what a reader of the numbers has to know.
    """

    measurements: list
    peaks: dict
    flops: dict
    failures: list
    notes: list


def spread(values):
    """Median, smallest and largest of numbers."""
    return statistics.median(values), min(values), max(values)
