"""What processes that train together tell each other.

A process by itself calls the same functions; there they do nothing. Every process must call them in
the same order.
"""

import contextlib
from collections.abc import Iterator, Sequence
from typing import Any

import numpy as np

from keras_cvae.backend.process import launched, process, torch_group
from keras_cvae.backend.tensor import Tensor
from keras_cvae.errors import UserError


class FirstFailed(UserError):
    """The first process failed, which says so itself."""


_left = False  # whether this process has trained with others, and is alone now


def share(value: Any) -> Any:
    """The first process's value, in all processes.

    Args:
        value: anything that can be pickled.
    """
    if process().world_size == 1:
        return value
    _only_torch("share a value")
    from keras_cvae.backend.exchange_torch import broadcast_object

    return broadcast_object(value)


def share_variables(variables: Sequence[Any]) -> None:
    """Gives all processes the first one's values of Keras variables."""
    if torch_group() is not None:
        from keras_cvae.backend.exchange_torch import broadcast_variables

        broadcast_variables(variables)


def average(tensors: Sequence[Tensor | None]) -> None:
    """Averages PyTorch's tensors over the processes, in place; `None` stays `None`."""
    if torch_group() is not None:
        from keras_cvae.backend.exchange_torch import average_in_place

        average_in_place(tensors)


def share_array(array: np.ndarray | None) -> np.ndarray:
    """The first process's array, in all processes.

    Args:
        array: in the first process the array, in the others anything.
    """
    if process().world_size == 1:
        assert array is not None
        return array
    mine = array if process().first else None
    kind = share(None if mine is None else (mine.shape, mine.dtype.str))
    copied = np.empty(*kind) if mine is None else np.ascontiguousarray(mine)
    from keras_cvae.backend.exchange_torch import broadcast_bytes

    broadcast_bytes(copied.reshape(-1).view(np.uint8))
    return copied if mine is None else mine


def largest(number: int) -> int:
    """The largest number that a process gave, such as that of a signal."""
    if process().world_size == 1:
        return number
    _only_torch("agree")
    from keras_cvae.backend.exchange_torch import largest_of

    return largest_of(number)


def wait() -> None:
    """Waits until all processes of PyTorch have come here."""
    if torch_group() is not None:
        largest(0)


@contextlib.contextmanager
def first_alone() -> Iterator[bool]:
    """The others wait until the first process has gone through the block, which they skip by `if`.

    An error of the first is an error of all.

    Yields:
        Whether this is the first process.

    Raises:
        FirstFailed: in the others, if the block failed in the first.

    Example:

    ```python
    with first_alone() as first:
        if first:
            write_files()
    ```
    """
    here = process()
    if here.world_size == 1:
        yield True
        return
    if not here.first:
        failed = share(None)
        if failed is not None:
            raise FirstFailed(f"process 0 of {here.world_size} failed: {failed}")
        yield False
        return
    try:
        yield True
    except Exception as error:
        share(f"{type(error).__name__}: {error}")
        raise
    share(None)


def leave() -> None:
    """Ends the work together: from here on each process is alone. All must come here."""
    global _left
    if torch_group() is not None:
        from keras_cvae.backend.exchange_torch import leave_group

        leave_group()
        _left = True


def lost_line() -> str | None:
    """Which process is gone, in words; `None` if none is seen to be."""
    if torch_group() is None:
        return None
    from keras_cvae.backend import exchange_torch

    return exchange_torch.lost_line()


def check_started() -> None:
    """Checks that processes which a launcher started know of each other.

    Raises:
        UserError: if they do not: each would train by itself.
    """
    if launched().world_size > 1 and process().world_size == 1 and not _left:
        raise UserError(
            f"{launched().world_size} processes were started, and each would train by itself. Call "
            "keras_cvae.distribution.start() before the model is made, or unset WORLD_SIZE."
        )


def _only_torch(what: str) -> None:
    if torch_group() is None:
        raise UserError(
            f"Several processes of JAX cannot {what}: train there with model.fit alone, save the "
            "model, and predict and validate in one process. Processes of PyTorch can, started by "
            "torchrun."
        )
