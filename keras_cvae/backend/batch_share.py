"""One batch on several devices or processes: which rows are here, and means over all of them.

On torch a process has its rows, on TensorFlow a replica of a MirroredStrategy. JAX computes with
the whole batch, wherever its rows are, so that nothing is to be done.
"""

from collections.abc import Callable
from typing import Any

import keras

from keras_cvae.backend.process import process
from keras_cvae.backend.tensor import Tensor
from keras_cvae.errors import UserError


def parts_of_batch(model: Any = None) -> int:
    """The number of equal parts in which each batch is trained on.

    Args:
        model: the `keras.Model` that is trained. On TensorFlow it keeps the strategy in whose scope
            it was made. `None` for one that is made now.
    """
    backend = keras.backend.backend()
    if backend == "torch":
        return process().world_size
    if backend == "tensorflow":
        import tensorflow as tf

        strategy = tf.distribute.get_strategy() if model is None else model.distribute_strategy
        return int(strategy.num_replicas_in_sync)
    distribution = keras.distribution.distribution()
    if distribution is None:
        return 1
    mesh = distribution.device_mesh
    return int(mesh.shape[mesh.axis_names.index(distribution.batch_dim_name)])


def check_divides(batch_size: int, parts: int) -> int:
    """Checks that a batch has equal parts.

    Args:
        batch_size: of the whole batch.
        parts: their number.

    Returns:
        The size of a part.

    Raises:
        UserError: if the batch cannot be divided so.
    """
    if batch_size % parts:
        raise UserError(
            f"A batch of {batch_size} clips cannot be divided equally among {parts} processes or "
            f"devices. The batch size is that of all together: give a multiple of {parts}."
        )
    return batch_size // parts


def own_rows(draw: Callable[[Any], Tensor], rows: Any) -> Tensor:
    """The rows of this process or replica of random numbers that are drawn for the whole batch.

    So the numbers do not depend on how many share the batch, and differ from part to part.

    Args:
        draw: function of a number of rows that returns a tensor with so many.
        rows: the number of rows here, int or a scalar tensor.
    """
    index, count = _part()
    if count == 1:
        return draw(rows)
    return draw(rows * count)[index * rows : (index + 1) * rows]


def whole_batch_moments(mean: Tensor, variance: Tensor) -> tuple[Tensor, Tensor]:
    """Mean and variance of the whole batch, from those of its equal parts, with their gradients.

    Args:
        mean, variance: of the rows of this process or replica.
    """
    if _part()[1] == 1:
        return mean, variance
    whole = _mean(mean)
    # The variance of the means is added: no difference of two large numbers.
    return whole, _mean(variance + (mean - whole) ** 2)


def _part() -> tuple[Any, int]:
    """Which of how many parts of a batch is here."""
    backend = keras.backend.backend()
    if backend == "torch":
        return process()
    if backend == "tensorflow":
        import tensorflow as tf

        context = tf.distribute.get_replica_context()
        if context is not None and context.num_replicas_in_sync > 1:
            return context.replica_id_in_sync_group, context.num_replicas_in_sync
    return 0, 1


def _mean(tensor: Tensor) -> Tensor:
    if keras.backend.backend() == "torch":
        from keras_cvae.backend.exchange_torch import mean_with_gradient

        return mean_with_gradient(tensor)
    import tensorflow as tf

    context = tf.distribute.get_replica_context()
    return context.all_reduce(tf.distribute.ReduceOp.MEAN, tensor)
