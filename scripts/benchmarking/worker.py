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

from benchmarking import machine
from benchmarking.cases import EXPORTS, PLAIN, Case
from keras_cvae.backend.choice import BACKENDS

_SHORTEST = 1.0  # seconds of a repeat at least: as many steps as fill them


class Calls:
    """What can be asked of a worker; every reply holds the process's memory as well."""

    def __init__(self):
        self.subject = None
        self.steps = 1
        self.before = None

    def prepare(self, cases, folder, loop):
        """Writes the common weights, counts operations; see `benchmarking.prepare`."""
        from benchmarking.prepare import prepare

        return prepare([_case(case) for case in cases], Path(folder), loop)

    def start(self, case, folder, loop, pieces):
        """Builds what is measured and, but for a first step, warms it up."""
        case = _case(case)
        self.subject = _make(case, folder and Path(folder), loop, pieces)
        self.before = machine.resident_mb()
        if case.task == "first_step":
            return {}
        # The first call traces and compiles; the second tells how many fill a repeat.
        if case.task == "rollout":
            self.subject.warm_up()
            return {}
        self.subject.step()
        loss = self.subject.loss
        started = time.perf_counter()
        self.subject.step()
        second = time.perf_counter() - started
        self.steps = min(1000, max(1, math.ceil(_SHORTEST / max(second, 1e-9))))
        return {"loss": loss}

    def repeat(self):
        """Measures once: the seconds and predicted frames of a number of steps."""
        started = time.perf_counter()
        frames = sum(self.subject.step() for _ in range(self.steps))
        seconds = time.perf_counter() - started
        loss = self.subject.loss
        if loss is not None and not math.isfinite(loss):
            raise ValueError(f"the loss is {loss}: times of it say nothing")
        return {"seconds": seconds, "frames": frames, "steps": self.steps, "loss": loss}

    def stream(self, case, every):
        """Resident memory over a long prediction."""
        from benchmarking.ours import stream_memory

        return {"readings": stream_memory(_case(case), every)}


def main():
    # Whatever prints to stdout, a library in C++ included, must not come between the replies.
    replies = os.fdopen(os.dup(1), "w")
    os.dup2(2, 1)
    # Keras imports TensorFlow beside another backend where it finds it, for nothing that is
    # measured: hundreds of megabytes that a user of one backend does not have.
    for other in set(BACKENDS) - {os.environ["KERAS_BACKEND"]}:
        sys.modules[other] = None
    calls = Calls()
    replied, used = time.monotonic(), time.process_time()
    for line in sys.stdin:
        waited = time.monotonic() - replied
        idle = (time.process_time() - used) / max(waited, 1e-3)
        request = json.loads(line)
        try:
            reply = getattr(calls, request.pop("call"))(**request)
        except Exception as error:
            traceback.print_exc()
            first = (str(error).strip() or "no message").splitlines()[0]
            reply = {"error": f"{type(error).__name__}: {first}"}
        peak, before = machine.peak_mb(), calls.before
        reply["peak_mb"] = peak
        reply["step_mb"] = None if peak is None or before is None else peak - before
        reply["idle_cpu"] = idle if waited > 1 else None
        print(json.dumps(reply), file=replies, flush=True)
        replied, used = time.monotonic(), time.process_time()


def _case(values):
    widths = values["widths"]
    return Case(**{**values, "widths": widths and tuple(widths)})


def _make(case, folder, loop, pieces):
    if case.implementation == PLAIN:
        from benchmarking import plain

        kind = plain.Rollout if case.task == "rollout" else plain.Training
        return kind(case, folder, loop, pieces)
    from benchmarking import ours

    if case.implementation in EXPORTS:
        return ours.ExportedRollout(case, folder, pieces)
    kinds = {"rollout": ours.Rollout, "loader": ours.Loader}
    return kinds.get(case.task, ours.Training)(case, folder, pieces)


if __name__ == "__main__":
    main()
