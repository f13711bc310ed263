"""Rows of sizes, measured on fake workers."""

import pytest
from benchmark_checks import SIZES_BASE, FakeWorkers, case
from benchmarking import run, sizes


@pytest.fixture
def rows(monkeypatch):
    """Rows of two axes whose cost is linear in the batch and constant in the clip's length."""
    monkeypatch.setattr(run, "PAUSE", 0)
    axes = sizes.axis_cases(*SIZES_BASE, clip_lengths=(8, 16), batches=(1, 2, 4))
    axes = {axis: axes[axis] for axis in ("clip_length", "batch")}
    workers = FakeWorkers({of: float(of.batch) for of in axes["batch"].values()})
    workers.readings = [(1, 300.0), (50, 400.0), (100, 400.0)]

    def measure(cases, report, repeats, groups):
        run.measure(cases, report, repeats, groups=groups, worker=workers)

    class Memory(type(workers("torch"))):
        def ask(self, call, **arguments):
            assert call == "stream"
            return {"readings": workers.readings}

    monkeypatch.setattr(sizes, "measure", measure)
    monkeypatch.setattr(sizes, "Worker", lambda backend, device: Memory(workers, backend, device))
    rows, report = sizes.run_sizes(axes, 2, case("rollout", batch=1, clip_length=101))
    assert not report.failures
    return rows
