"""What is read from the operating system."""

import sys
from types import SimpleNamespace

import pytest
from benchmarking import machine

CPUINFO = """processor\t: 0
model name\t: Some CPU @ 2 GHz
flags\t\t: fpu avx2 avx512f
processor\t: 1
model name\t: Other
"""


def test_processor():
    assert machine._processor(CPUINFO) == ("Some CPU @ 2 GHz", {"fpu", "avx2", "avx512f"})
    model, flags = machine._processor("")
    assert model and flags == set()


def test_vector_flags(monkeypatch):
    monkeypatch.setattr(machine, "_read", lambda path: CPUINFO if "cpuinfo" in path else "")
    described = machine.describe()
    assert described["cpu"] == "Some CPU @ 2 GHz"
    assert described["vector flags"] == "avx2 yes, avx512f yes, avx512_bf16 no, amx_bf16 no"
    assert described["memory"] == "unknown"
    assert "numpy" in described["versions"]


def test_the_gpu_is_named_where_it_is_measured():
    assert next(iter(machine.describe("NVIDIA H200").items())) == ("gpu", "NVIDIA H200")
    assert "gpu" not in machine.describe()


def test_free_memory_of_the_gpu(monkeypatch):
    asked = []

    def run(command, **options):
        asked.append(command[1:3])
        return SimpleNamespace(stdout="4096\n")

    monkeypatch.setattr(machine.subprocess, "run", run)
    monkeypatch.delenv("CUDA_VISIBLE_DEVICES", raising=False)
    assert machine.gpu_free_mb() == 4096
    monkeypatch.setenv("CUDA_VISIBLE_DEVICES", "3,1")
    assert machine.gpu_free_mb() == 4096
    assert asked == [["-i", "0"], ["-i", "3"]]
    monkeypatch.setattr(machine.subprocess, "run", lambda *_, **__: SimpleNamespace(stdout="N/A"))
    assert machine.gpu_free_mb() is None


@pytest.mark.skipif(sys.platform != "linux", reason="reads /proc")
def test_memory():
    assert 10 < machine.resident_mb() <= machine.peak_mb()
    assert machine.available_mb() > 0


def test_a_container_limits_what_is_available(monkeypatch):
    files = {
        "/proc/meminfo": "MemTotal: 9000000 kB\nMemAvailable: 8192000 kB\n",
        "/sys/fs/cgroup/memory.max": f"{1000 * 2**20}\n",
        "/sys/fs/cgroup/memory.current": f"{600 * 2**20}\n",
        "/sys/fs/cgroup/memory.stat": f"anon 5\ninactive_file {100 * 2**20}\n",
    }
    monkeypatch.setattr(machine, "_read", lambda path: files.get(path, ""))
    assert machine.available_mb() == 500
    files["/sys/fs/cgroup/memory.max"] = "max\n"
    assert machine.available_mb() == 8000


def test_a_busy_machine_is_noted(monkeypatch):
    monkeypatch.setattr(machine.os, "getloadavg", lambda: (0.0, 0.0, 0.0), raising=False)
    assert machine.busy() is None
    monkeypatch.setattr(machine.os, "getloadavg", lambda: (99.0, 0.0, 0.0), raising=False)
    assert "99.0" in machine.busy()
