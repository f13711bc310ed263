"""A process that measures one case: a request a line on stdin, a reply a line on stdout, as JSON.

    python -m benchmarking.worker

Requests name a function of `Calls`. Between two requests the process waits for stdin and computes
nothing. What libraries print goes to stderr.
"""

import json
import math
import os
import sys
import time
import traceback
from pathlib import Path
from typing import Any

from benchmarking import gpu, machine
from benchmarking.cases import EXPORTS, PLAIN, Case
from keras_cvae.backend.choice import BACKENDS
from keras_cvae.backend.tf32 import allow_tf32
from keras_cvae.backend.xla import compile_faster
from keras_cvae.errors import UserError, first_line

_SHORTEST = 1.0  # seconds of a repeat at least: as many steps as fill them
_WARM = {"cpu": 1, "gpu": 4}  # steps before the one that is timed; on a GPU one may capture it


class Calls:
    """What can be asked of a worker; every reply holds the process's memory as well."""

    def __init__(self) -> None:
        self.subject: Any = None
        self.steps = 1
        self.before: float | None = None
        self.device = "cpu"
        self.backend = os.environ.get("KERAS_BACKEND", "")

    def gpu(self) -> dict:
        """The name of the GPU that the backend of this process computes on, or `None`."""
        return {"gpu": gpu.found(self.backend)}

    def peaks(self, precisions: list[str], device: str) -> dict:
        """FLOP/s by precision; see `benchmarking.peak`."""
        from benchmarking.peak import peaks

        return {"peaks": peaks(precisions, device)}

    def prepare(self, cases: list[dict], folder: str, loop: str) -> dict:
        """Writes the shared weights and counts operations; see `benchmarking.prepare`."""
        from benchmarking.prepare import prepare

        return {"flops": prepare([_case(case) for case in cases], Path(folder), loop)}

    def start(self, case: dict, folder: str | None, loop: str | None, pieces: int) -> dict:
        """Builds what is measured and, except for the task first_step, warms it up."""
        of = self._chosen(case)
        self.subject = _make(of, Path(folder) if folder else None, loop, pieces)
        self.steps = 1
        if self.device == "gpu":
            gpu.restart_peak(self.backend)
        self.before, _ = self._memory()
        if of.task == "first_step":
            return {}
        if of.task == "rollout":
            self.subject.warm_up()
            return {}
        # The first step traces and compiles; the time of a later one gives the steps of a repeat.
        self.subject.step()
        loss = self.subject.loss
        for _ in range(_WARM[self.device] - 1):
            self.subject.step()
        later = self._seconds(1)[0]
        self.steps = min(1000, max(1, math.ceil(_SHORTEST / max(later, 1e-9))))
        return {"loss": loss}

    def repeat(self) -> dict:
        """Measures once: the seconds and predicted frames of a number of steps."""
        seconds, frames = self._seconds(self.steps)
        loss = self.subject.loss
        if loss is not None and not math.isfinite(loss):
            raise ValueError(f"the loss is {loss}, so the times have no meaning")
        return {"seconds": seconds, "frames": frames, "steps": self.steps, "loss": loss}

    def stream(self, case: dict, every: int) -> dict:
        """Resident memory over a long prediction."""
        from benchmarking.ours import stream_memory

        return {"readings": stream_memory(self._chosen(case), every)}

    def memory(self) -> dict:
        """The memory of this process: the part of every reply that is not asked for."""
        _, peak = self._memory()
        step = None if peak is None or self.before is None else peak - self.before
        return {"peak_mb": peak, "step_mb": step, "host_mb": machine.peak_mb()}

    def _chosen(self, case: dict) -> Case:
        """The case, whose device and precision are those of this process from here on."""
        of = _case(case)
        self.device = of.device
        if of.device == "gpu":
            allow_tf32(self.backend, of.precision != "float32")
        return of

    def _seconds(self, steps: int) -> tuple[float, int]:
        """The time of a number of steps until they are computed, and the predicted frames."""
        self._wait()
        started = time.perf_counter()
        frames = sum(self.subject.step() for _ in range(steps))
        self._wait()
        return time.perf_counter() - started, frames

    def _wait(self) -> None:
        if self.device == "gpu":
            gpu.synchronize(self.backend)

    def _memory(self) -> tuple[float | None, float | None]:
        """Memory in MB now and at the peak: resident memory, on a GPU what arrays take of its."""
        if self.device == "gpu":
            return gpu.memory_mb(self.backend)
        return machine.resident_mb(), machine.peak_mb()


def main() -> None:
    # What libraries print to stdout, those in C++ included, must not come between the replies.
    replies = os.fdopen(os.dup(1), "w")
    os.dup2(2, 1)
    # Where TensorFlow is installed, Keras imports it on other backends too: hundreds of megabytes
    # that nothing here needs, and that a user of one backend does not have.
    for other in set(BACKENDS) - {os.environ["KERAS_BACKEND"]}:
        sys.modules[other] = None  # type: ignore[assignment]
    if os.environ["KERAS_BACKEND"] == "jax":  # as the commands that train do
        compile_faster()
    calls = Calls()
    replied, used = time.monotonic(), time.process_time()
    for line in sys.stdin:
        waited = time.monotonic() - replied
        idle = (time.process_time() - used) / max(waited, 1e-3)
        request = json.loads(line)
        try:
            reply = getattr(calls, request.pop("call"))(**request)
        except Exception as error:
            users = isinstance(error, (UserError, OSError, MemoryError))
            kind = "" if isinstance(error, UserError) else f"{type(error).__name__}: "
            reply = {
                "error": f"{kind}{first_line(error)}",
                "user_error": users,
                "traceback": traceback.format_exc(),
            }
        reply |= calls.memory()
        reply["idle_cpu"] = idle if waited > 1 else None
        print(json.dumps(reply), file=replies, flush=True)
        replied, used = time.monotonic(), time.process_time()


def _case(values: dict) -> Case:
    widths = values["widths"]  # JSON has no tuples
    return Case(**{**values, "widths": tuple(widths) if widths else None})


def _make(case: Case, folder: Path | None, loop: str | None, pieces: int) -> Any:
    if case.implementation == PLAIN:
        from benchmarking import plain

        assert folder and loop
        kind = plain.Rollout if case.task == "rollout" else plain.Training
        return kind(case, folder, loop, pieces)
    from benchmarking import ours

    if case.implementation in EXPORTS:
        return ours.ExportedRollout(case, folder, pieces)
    if case.task == "loader":
        return ours.Loader(case)
    return (ours.Rollout if case.task == "rollout" else ours.Training)(case, folder, pieces)


if __name__ == "__main__":
    main()
