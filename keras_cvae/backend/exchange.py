"""What processes that train together tell each other.

A process by itself calls the same functions; there they do nothing. Every process must call them in
the same order.
"""

import contextlib
from collections.abc import Iterator
from typing import Any

from keras_cvae.backend.process import process, torch_group
from keras_cvae.errors import UserError


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


def any_process(wish: bool) -> bool:
    """Whether one of the processes has a wish, such as to stop."""
    if process().world_size == 1:
        return wish
    _only_torch("agree")
    from keras_cvae.backend.exchange_torch import largest

    return largest(float(wish)) > 0


@contextlib.contextmanager
def first_alone() -> Iterator[bool]:
    """The others wait until the first process has gone through the block, which they skip by `if`.

    An error of the first is an error of all.

    Yields:
        Whether this is the first process.

    Raises:
        UserError: in the others, if the block failed in the first.

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
            raise UserError(f"process 0 of {here.world_size} failed: {failed}")
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
    if torch_group() is not None:
        from keras_cvae.backend.exchange_torch import leave_group

        leave_group()


def _only_torch(what: str) -> None:
    if torch_group() is None:
        raise UserError(
            f"Several processes of JAX cannot {what}: train there with model.fit alone, save the "
            "model, and predict and validate in one process. Processes of PyTorch can, started by "
            "torchrun."
        )
