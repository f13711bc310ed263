"""TensorFlow's MirroredStrategy over the devices of a machine."""

from collections.abc import Callable, Sequence
from typing import Any

import tensorflow as tf

from keras_cvae.backend.keras_private import already_merged, apply_merged


def mirror() -> None:
    """Makes a MirroredStrategy the strategy of this process, if there are several devices.

    The devices are the GPUs; without a GPU, the logical CPUs that were configured. A strategy that
    is set already stays.
    """
    if tf.distribute.has_strategy():
        return
    devices = tf.config.list_logical_devices("GPU") or tf.config.list_logical_devices("CPU")
    if len(devices) > 1:
        strategy = tf.distribute.MirroredStrategy([device.name for device in devices])
        tf.distribute.experimental_set_strategy(strategy)


def apply_whole(optimizer: Any, gradients: Sequence, variables: Sequence) -> None:
    """Takes an optimiser step with the gradient of the whole batch, as one device would.

    Keras takes the step on each replica with the replica's own gradient, and sums over the
    replicas as late as in the update. So it clips, accumulates and looks for infinities in a part
    of the gradient, and accumulation fails, because a replica cannot sum inside a condition. Here
    the gradients are summed first, and the optimiser then runs once, outside the replicas.

    Args:
        optimizer: a Keras optimiser, built for the variables.
        gradients: of this replica, whose sum is that of the whole batch; `None` for a variable
            that the loss does not depend on.
        variables: what they are the gradients of.
    """
    replica = tf.distribute.get_replica_context()
    if replica.num_replicas_in_sync == 1:
        optimizer.apply_gradients(zip(gradients, variables, strict=True))
        return
    pairs = [pair for pair in zip(gradients, variables, strict=True) if pair[0] is not None]
    gradients, variables = (list(each) for each in zip(*pairs, strict=True))
    whole = replica.all_reduce(tf.distribute.ReduceOp.SUM, gradients)

    def apply(strategy: Any, whole: list) -> None:
        # All replicas have the same sums.
        sums = [strategy.experimental_local_results(each)[0] for each in whole]
        with already_merged(strategy):
            apply_merged(optimizer, sums, variables)

    replica.merge_call(apply, args=(whole,))


def predicted_once(predict_step: Callable[[Any], Any]) -> Callable[[Any], Any]:
    """Keras' predict function without its strategy, under which each replica predicts a batch.

    Args:
        predict_step: of a model.

    Returns:
        What Keras keeps as `model.predict_function`: a function of a list of one batch.
    """
    # The strategy that is set, if any, goes unused: outside the replicas a variable has the value
    # that it has on the first device.
    return tf.function(lambda data: predict_step(data[0]), reduce_retracing=True)
