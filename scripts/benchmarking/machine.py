"""The machine that the benchmark runs on and the memory of a process, from the system's files."""

import os
import platform
import subprocess
import sys
from pathlib import Path

from keras_cvae import runs

# Instructions that decide the speed, those of bfloat16 at the end.
VECTOR_FLAGS = ("avx2", "avx512f", "avx512_bf16", "amx_bf16")


def describe(gpu: str | None = None) -> dict[str, str]:
    """The machine and the software on it, for people: dict of strings.

    Args:
        gpu: the name of the GPU that is measured, or `None`.
    """
    model, flags = _processor(_read("/proc/cpuinfo"))
    found = runs.environment("")  # this process runs on no backend
    versions = ", ".join(f"{name} {version}" for name, version in found["versions"].items())
    described = {
        **({"gpu": gpu} if gpu else {}),
        "cpu": model,
        "vector flags": ", ".join(
            f"{flag} {'yes' if flag in flags else 'no'}" if flags else f"{flag} unknown"
            for flag in VECTOR_FLAGS
        ),
        "cores": str(cores()),
        "memory": _gib(_kib(_read("/proc/meminfo"), "MemTotal")),
        "system": f"{found['platform']}, Python {found['python']}",
        "versions": versions,
    }
    if found["git_commit"]:
        described["commit"] = found["git_commit"]
    return described


def cores() -> int:
    """Number of processors that this process may use."""
    if hasattr(os, "sched_getaffinity"):
        return len(os.sched_getaffinity(0))
    return os.cpu_count() or 1


def busy() -> str | None:
    """A note where other programs use the processors, or `None`."""
    if not hasattr(os, "getloadavg"):
        return None
    load = os.getloadavg()[0]
    if load < 0.5 * cores():
        return None
    return (
        f"the load average was {load:.1f} at the start on {cores()} cores: other programs may have "
        "shared them, and the numbers are then not to be quoted"
    )


def available_mb() -> float | None:
    """Memory that is free for new processes, or `None` where it is not known."""
    kib: float | None = _kib(_read("/proc/meminfo"), "MemAvailable")
    if kib is None:
        return None
    # In a container its own limit counts, less what is used; cached files can be dropped.
    limit, used = (_read(f"/sys/fs/cgroup/memory.{name}").strip() for name in ("max", "current"))
    if limit.isdecimal() and used.isdecimal():
        cached = dict(line.split() for line in _read("/sys/fs/cgroup/memory.stat").splitlines())
        free = int(limit) - int(used) + int(cached.get("inactive_file", 0))
        kib = min(kib, free / 1024)
    return kib / 1024


def gpu_free_mb() -> float | None:
    """Memory of the GPU that no process has, or `None` where nvidia-smi does not say."""
    first = os.environ.get("CUDA_VISIBLE_DEVICES", "0").partition(",")[0]
    query = ["nvidia-smi", "-i", first, "--query-gpu=memory.free", "--format=csv,noheader,nounits"]
    try:
        printed = subprocess.run(query, capture_output=True, text=True, check=True, timeout=20)
        return float(printed.stdout)
    except (OSError, subprocess.SubprocessError, ValueError):
        return None


def resident_mb() -> float | None:
    """Resident memory of this process now, or `None` where it is not known."""
    kib = _kib(_read("/proc/self/status"), "VmRSS")
    return None if kib is None else kib / 1024


def peak_mb() -> float | None:
    """The largest resident memory of this process so far, interpreter and libraries included."""
    kib = _kib(_read("/proc/self/status"), "VmHWM")
    if kib is not None:
        return kib / 1024
    try:
        import resource
    except ImportError:  # Windows
        return None
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    return peak / 2**20 if sys.platform == "darwin" else peak / 1024


def _read(path: str) -> str:
    try:
        return Path(path).read_text()
    except OSError:
        return ""


def _kib(text: str, name: str) -> int | None:
    for line in text.splitlines():
        key, _, value = line.partition(":")
        if key == name:
            return int(value.split()[0])
    return None


def _gib(kib: float | None) -> str:
    return "unknown" if kib is None else f"{kib / 2**20:.1f} GiB"


def _processor(cpuinfo: str) -> tuple[str, set[str]]:
    """Model name and set of flags from the text of /proc/cpuinfo."""
    values: dict[str, str] = {}
    for line in cpuinfo.splitlines():
        key, _, value = line.partition(":")
        values.setdefault(key.strip(), value.strip())
    model = values.get("model name") or platform.processor() or platform.machine() or "unknown"
    return model, set((values.get("flags") or values.get("Features") or "").split())
