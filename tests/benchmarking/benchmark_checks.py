"""What the tests of the benchmark share: tiny settings, made-up measurements, fake workers."""

import contextlib
import json
from pathlib import Path

from benchmarking.cases import BASELINE, OURS, PLAIN, Case
from benchmarking.measurement import Measurement
from benchmarking.process import Worker, WorkerFailed
from benchmarking.worker import Calls

LOOP = Path(__file__).parents[1] / "reference_torch.py"
SIZES_BASE = ("multiscale", "torch", "float32", 2, 16, (32, 64))
TINY = {"clip_length": 4, "frame_size": (8, 16), "widths": (8, 2, 4, 8)}


def case(task="train_free", implementation=OURS, preset=BASELINE, backend="torch", **other):
    values = {"precision": "float32", "batch": 2, "clip_length": 4, "height": 8, "width": 16}
    return Case(task, implementation, preset, backend, **{**values, **other})


def plain_case(task="train_free", **other):
    return case(task, PLAIN, **other)


def measured(of, seconds, frames=6, plain_rates=None, **other):
    """A measurement of one-step repeats that took these seconds each."""
    repeats = [{"seconds": s, "frames": frames, "steps": 1} for s in seconds]
    return Measurement(of, repeats, plain_rates, **other)


class Pool:
    """Makes real workers as `Worker` does, but gives the process of one that was closed again."""

    def __init__(self):
        self.started = 0
        self._idle = {}

    def __call__(self, backend, device="cpu"):
        assert device == "cpu"
        idle = self._idle.setdefault(backend, [])
        if idle:
            return idle.pop(0)
        self.started += 1
        return _PooledWorker(backend, idle)

    def end(self):
        for worker in sum(self._idle.values(), []):
            Worker.close(worker)


class _PooledWorker(Worker):
    def __init__(self, backend, idle):
        super().__init__(backend)
        self._idle = idle

    def close(self):
        if self._process.poll() is not None:
            super().close()
        elif self not in self._idle:
            self._idle.append(self)


class Here(contextlib.AbstractContextManager):
    """A worker that measures in this process."""

    def __init__(self, backend, device="cpu"):
        self._calls = Calls()

    def ask(self, call, **arguments):
        return getattr(self._calls, call)(**json.loads(json.dumps(arguments)))

    def close(self):
        self._calls = None

    def __exit__(self, *error):
        self.close()


class FakeWorkers:
    """Makes workers that compute nothing and keep what they were asked.

    Args:
        seconds: dict case -> seconds of a repeat, 1 by default.
        failing: dict case -> number of the request at which it fails, from 0 (its start).
    """

    def __init__(self, seconds=None, failing=None, idle=None):
        self.seconds = seconds or {}
        self.failing = failing or {}
        self.idle = idle
        self.asked = []
        self.started = []  # pairs (backend, device)
        self.alive = 0
        self.most_alive = 0

    def __call__(self, backend, device="cpu"):
        self.started.append((backend, device))
        return _FakeWorker(self, backend, device)


class _FakeWorker(contextlib.AbstractContextManager):
    def __init__(self, workers, backend, device):
        self.workers, self.backend, self.device = workers, backend, device
        self.case, self.count, self.closed = None, 0, False
        workers.alive += 1
        workers.most_alive = max(workers.most_alive, workers.alive)

    def ask(self, call, **arguments):
        if call == "start":
            self.case = Case(**arguments["case"])
            assert (self.case.backend, self.case.device) == (self.backend, self.device)
        self.workers.asked.append((call, self.case))
        if self.workers.failing.get(self.case) == self.count:
            raise WorkerFailed("it broke")
        self.count += 1
        seconds = self.workers.seconds.get(self.case, 1.0)
        return {
            "seconds": seconds,
            "frames": 6,
            "steps": 1,
            "peak_mb": 100.0 + self.count,
            "step_mb": 10.0,
            "host_mb": 50.0,
            "flops": [],
            "peaks": {"float32": 1e12},
            "idle_cpu": self.workers.idle,
        }

    def close(self):
        self.workers.alive -= not self.closed
        self.closed = True

    def __exit__(self, *error):
        self.close()
