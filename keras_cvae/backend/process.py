"""The processes that train one model together: which this one is, of how many."""

import os
import sys
from typing import Any, NamedTuple

from keras_cvae.errors import UserError


class Process(NamedTuple):
    """Which of how many processes this is.

    Args:
        rank: from 0. The first writes the files and prints.
        world_size: the number of processes, on all machines.
    """

    rank: int = 0
    world_size: int = 1

    @property
    def first(self) -> bool:
        """Whether this is the process that writes the files and prints."""
        return self.rank == 0

    def __str__(self) -> str:
        return f"process {self.rank} of {self.world_size}"


def launched() -> Process:
    """This process as a launcher such as torchrun named it in the environment.

    Raises:
        UserError: if the variables `RANK` and `WORLD_SIZE` are no such numbers.
    """
    rank, size = os.environ.get("RANK", "0"), os.environ.get("WORLD_SIZE", "1")
    if not (rank.isdecimal() and size.isdecimal() and int(rank) < int(size)):
        raise UserError(
            f"RANK is {rank!r} and WORLD_SIZE is {size!r}; expected 0 <= RANK < WORLD_SIZE, as "
            "torchrun sets them. Unset both to train in one process."
        )
    return Process(int(rank), int(size))


def process() -> Process:
    """This process among those that train together; the only one if `start` was not called."""
    torch, jax = torch_group(), jax_group()
    if torch is not None:
        return Process(torch.distributed.get_rank(), torch.distributed.get_world_size())
    if jax is not None:
        return Process(jax.process_index(), jax.process_count())
    return Process()


def torch_group() -> Any:
    """The module of PyTorch where several of its processes train together, else `None`."""
    torch = sys.modules.get("torch")
    if torch is None or not torch.distributed.is_available():
        return None
    return torch if torch.distributed.is_initialized() else None


def jax_group() -> Any:
    """The module of JAX where several of its processes train together, else `None`."""
    jax = sys.modules.get("jax")
    return jax if jax is not None and jax.distributed.is_initialized() else None
