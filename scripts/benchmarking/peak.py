"""The arithmetic limit: how fast this process's device multiplies matrices on torch."""

import statistics
import time
from collections.abc import Iterable

import torch

from benchmarking.plain import DEVICES
from keras_cvae.backend.tf32 import allow_tf32

SIDES = {"cpu": 2048, "gpu": 8192}  # of the matrices; small ones do not fill a GPU
_PRODUCTS = 10
_LONGEST = 5.0  # seconds, which are enough on a slow processor
_WARM = 3  # products of a GPU before the first that counts: it chooses a kernel and speeds up


def peaks(precisions: Iterable[str], device: str) -> dict[str, float]:
    """FLOP/s of a product of two square matrices, by precision.

    On the CPU it is the best of several, because other programs may share it; on a GPU the median.

    Args:
        precisions: of those of the device in `cases.PRECISIONS`.
        device: `"cpu"` or `"gpu"`.

    Returns:
        dict precision -> FLOP/s.
    """
    return {name: _peak(name, device) for name in precisions}


def _peak(precision: str, device: str) -> float:
    gpu, side = device == "gpu", SIDES[device]
    if gpu:
        allow_tf32("torch", precision != "float32")
    dtype = torch.bfloat16 if precision == "mixed_bfloat16" else torch.float32
    left, right = (torch.randn(side, side, device=DEVICES[device]).to(dtype) for _ in range(2))
    if gpu:
        for _ in range(_WARM):
            torch.mm(left, right)
        torch.cuda.synchronize()
    times: list[float] = []
    while len(times) <= _PRODUCTS and sum(times) < _LONGEST:
        started = time.perf_counter()
        torch.mm(left, right)
        if gpu:
            torch.cuda.synchronize()
        times.append(time.perf_counter() - started)
    return 2 * side**3 / (statistics.median(times) if gpu else min(times))
