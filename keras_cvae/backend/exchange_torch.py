"""What several processes of PyTorch exchange, by torch.distributed."""

import contextlib
import os
import platform
import time
from collections.abc import Iterator, Sequence
from datetime import timedelta
from pathlib import Path
from typing import Any

import numpy as np
import torch
import torch.distributed as dist

from keras_cvae.backend import replay
from keras_cvae.backend.process import Process, launched
from keras_cvae.backend.tensor import Tensor
from keras_cvae.errors import UserError

# How long the others wait for what the first alone does, such as a long validation.
PATIENCE = timedelta(hours=2)
_AT_ONCE = 2**26  # bytes
_NOTICED = 3.0  # seconds in which a process that was killed is seen to be gone

_others: list[tuple[int, str, int]] = []  # rank, machine and process number of each


class ProcessLost(UserError):
    """A process of those that train together ended or cannot be reached."""


def join_group() -> None:
    """Joins the processes that torchrun started; NCCL between GPUs, gloo between CPUs.

    Raises:
        UserError: if this process has no GPU of its own.
    """
    if dist.is_initialized():
        return
    backend = "gloo"
    if torch.cuda.is_available():
        local, found = int(os.environ.get("LOCAL_RANK", 0)), torch.cuda.device_count()
        if local >= found:
            raise UserError(
                f"{launched()} is number {local} on its machine, which has {found} GPUs. Start one "
                f"process a GPU: torchrun --nproc-per-node {found}; or hide the GPUs "
                "(CUDA_VISIBLE_DEVICES=) to train on CPUs."
            )
        torch.cuda.set_device(local)
        # What is decided in Python goes over gloo, so that it does not wait for the GPU.
        backend = "cpu:gloo,cuda:nccl"
    dist.init_process_group(backend, timeout=PATIENCE)
    mine = (dist.get_rank(), platform.node(), os.getpid())
    found_others: list[Any] = [None] * dist.get_world_size()
    dist.all_gather_object(found_others, mine)
    _others[:] = [each for each in found_others if each != mine]


def leave_group() -> None:
    """Waits for all processes, then ends the group."""
    with _exchange():
        dist.barrier()
    dist.destroy_process_group()
    _others.clear()


def broadcast_object(value: Any) -> Any:
    """The first process's value, in all."""
    box = [value]
    with _exchange():
        dist.broadcast_object_list(box, src=0, device=torch.device("cpu"))
    return box[0]


def broadcast_bytes(array: np.ndarray) -> None:
    """Fills a uint8 array (n,) of all but the first process with the first's, in place."""
    for start in range(0, len(array), _AT_ONCE):
        part = array[start : start + _AT_ONCE]
        # The first's may be read-only, as a mapped file is; there it is only read.
        tensor = torch.from_numpy(part if part.flags.writeable else part.copy())
        with _exchange():
            dist.broadcast(tensor, src=0)


def largest_of(number: int) -> int:
    """The largest number that a process gave."""
    tensor = torch.tensor(number)
    with _exchange():
        dist.all_reduce(tensor, dist.ReduceOp.MAX)
    return int(tensor)


def broadcast_variables(variables: Sequence[Any]) -> None:
    """Gives all processes the first one's values of Keras variables."""
    with torch.no_grad(), _exchange():
        for variable in variables:
            dist.broadcast(variable.value.data, src=0)


def average_in_place(tensors: Sequence[Tensor | None]) -> None:
    """Averages tensors over the processes, in place, in one message per number type.

    Args:
        tensors: alike in all processes; `None` stays `None`.
    """
    kinds: dict[Any, list[Tensor]] = {}
    for tensor in tensors:
        if tensor is not None:
            kinds.setdefault((tensor.dtype, tensor.device), []).append(tensor.detach())
    for alike in kinds.values():
        flat = torch.cat([tensor.reshape(-1) for tensor in alike])
        with _exchange():
            dist.all_reduce(flat)
        flat /= dist.get_world_size()
        parts = flat.split([tensor.numel() for tensor in alike])
        for tensor, mean in zip(alike, parts, strict=True):
            tensor.copy_(mean.view_as(tensor))


def mean_with_gradient(tensor: Tensor) -> Tensor:
    """The mean of a tensor over the processes; gradients flow through it into all of them."""
    return _Mean.apply(tensor)


class _Mean(torch.autograd.Function):
    """A mean over the processes, each of whose losses depends on it."""

    @staticmethod
    def forward(ctx: Any, tensor: Tensor) -> Tensor:
        mean = tensor.clone(memory_format=torch.contiguous_format)
        average_in_place([mean])
        return mean

    @staticmethod
    def backward(ctx: Any, *gradients: Tensor) -> Tensor:
        return _Mean.apply(*gradients)


def lost_processes() -> list[str]:
    """The processes that are seen to be gone, in words; those of other machines are not seen."""
    world_size = len(_others) + 1
    return [
        f"{Process(rank, world_size)} (number {number} on {machine})"
        for rank, machine, number in _others
        if machine == platform.node() and not _lives(number)
    ]


def lost_line() -> str | None:
    """Waits for a moment, and says which process is gone, if one is."""
    end = time.monotonic() + _NOTICED
    while not (gone := lost_processes()) and time.monotonic() < end:
        time.sleep(0.05)
    if not gone:
        return None
    return f"{' and '.join(gone)} ended or was killed; the others stop too"


@contextlib.contextmanager
def _exchange() -> Iterator[None]:
    """An exchange: none is recorded, and its failure names the process that is gone."""
    if replay.recording():  # alike in all processes; gloo cannot, and NCCL was not tried
        raise RuntimeError("processes exchange values inside it, such as the statistics of a norm")
    try:
        yield
    except RuntimeError as error:
        line = lost_line() or "a process on another machine ended or cannot be reached"
        raise ProcessLost(f"{line} ({str(error).strip().splitlines()[0][:200]})") from error


def _lives(number: int) -> bool:
    if Path("/proc/self/stat").exists():  # Linux, where a killed one stays for a while as a zombie
        try:
            stat = Path(f"/proc/{number}/stat").read_text()
            return stat.rpartition(")")[2].split()[0] not in "ZX"
        except (OSError, IndexError):
            return False
    try:
        os.kill(number, 0)
    except ProcessLookupError:
        return False
    except OSError:
        return True
    return True
