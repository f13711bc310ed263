"""TensorFlow's MirroredStrategy over the devices of a machine."""

from collections.abc import Callable, Sequence
from contextlib import AbstractContextManager, nullcontext
from typing import Any

import tensorflow as tf

from keras_cvae.backend.keras_private import already_merged, apply_merged
from keras_cvae.errors import UserError


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


def compile_scope(model: Any, optimizer: Any) -> AbstractContextManager:
    """The scope in which a model is compiled: what is made there is on the model's devices.

    Args:
        model: a `keras.Model`.
        optimizer: the optimiser for it: an object, a name, or `None`.

    Raises:
        UserError: if one of them was made outside the strategy, see `check_mirrored`.
    """
    check_mirrored(model, optimizer)
    strategy = model.distribute_strategy
    return strategy.scope() if strategy.num_replicas_in_sync > 1 else nullcontext()


def check_mirrored(model: Any, optimizer: Any) -> None:
    """Checks that a model and its optimiser were made under the strategy that trains them.

    Args:
        model: a `keras.Model`.
        optimizer: the optimiser for it: an object, a name, or `None`.

    Raises:
        UserError: if not.
    """
    replicas = model.distribute_strategy.num_replicas_in_sync
    if replicas == 1:
        return
    counter = getattr(optimizer, "iterations", None)
    for what, variable in (("model", model.variables[0]), ("optimiser", counter)):
        if variable is not None and not isinstance(variable.value, tf.distribute.DistributedValues):
            raise UserError(
                f"The {what} was made outside the strategy of {replicas} devices that is to train "
                "it. Make it after keras_cvae.distribution.start(), or inside strategy.scope()."
            )


def check_steps(model: Any) -> None:
    """Checks that the steps of a compiled model can run on its devices.

    Args:
        model: a `keras.Model`.

    Raises:
        UserError: if it has several devices and takes several steps at once, where Keras' loop
            fails, or is compiled by XLA, which compiles for one device.
    """
    replicas = model.distribute_strategy.num_replicas_in_sync
    for name, value, one in (
        ("steps_per_execution", model.steps_per_execution, 1),
        ("jit_compile", model.jit_compile, False),
    ):
        if replicas > 1 and value != one:
            raise UserError(
                f"The model is compiled with {name}={value}, which TensorFlow cannot run on "
                f"{replicas} devices. Compile it with {name}={one}, or train on one device."
            )


def check_one_replica(model: Any) -> None:
    """Checks that a single batch is for one device.

    Args:
        model: a `keras.Model`.

    Raises:
        UserError: if it has several: Keras would compute the whole batch on each of them.
    """
    replicas = model.distribute_strategy.num_replicas_in_sync
    if replicas > 1:
        raise UserError(
            f"train_on_batch and test_on_batch would compute the whole batch on each of {replicas} "
            "devices. Use fit or evaluate with Clips, or make the model on one device."
        )


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
