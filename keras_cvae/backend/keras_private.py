"""The private parts of Keras that this package relies on, in one place.

A new version of Keras may move them. Then tests/backend/test_keras_private.py fails and says what
to do.
"""

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from keras.callbacks import SwapEMAWeights

# On torch, Keras replaces the optimiser's class with one of this module, and saves its name.
TORCH_OPTIMIZERS = "keras.src.backend.torch.optimizers"

# The attribute of `SwapEMAWeights` that says whether the averaged weights are in the model.
EMA_WEIGHTS_IN_MODEL = "_ema_weights_in_model"


def learning_rate_of(optimizer: Any) -> Any:
    """What an optimiser takes its learning rate from: a variable, a schedule or a function.

    Args:
        optimizer: of Keras; of a `LossScaleOptimizer` the inner one's.
    """
    return getattr(optimizer, "inner_optimizer", optimizer)._learning_rate


class AveragedWeights(SwapEMAWeights):
    """Keras' swap of the averaged weights after each epoch, without its finalisation.

    The finalisation replaces the raw weights by their average in the last epoch. A run that is
    resumed with more epochs needs the raw ones.
    """

    def _finalize_ema_values(self) -> None:
        pass


@contextmanager
def already_merged(strategy: Any) -> Iterator[None]:
    """Lets a Keras optimiser run once for all replicas of a TensorFlow strategy.

    For each update Keras leaves the replica, by TensorFlow's `maybe_merge_call`, and fails where
    the replica was left before. Inside this context it does not try: it updates the copies of a
    variable on all devices.

    Args:
        strategy: a `tf.distribute.MirroredStrategy`.
    """
    strategy.extended._use_merge_call = lambda: False
    try:
        yield
    finally:
        del strategy.extended._use_merge_call  # the method of its class again


def apply_merged(optimizer: Any, gradients: list, variables: list) -> None:
    """Applies gradients inside `already_merged`, where `LossScaleOptimizer.apply` refuses."""
    apply = getattr(optimizer, "_common_apply", optimizer.apply)
    apply(gradients, variables)
