"""The private parts of Keras that this package relies on, in one place.

A new version of Keras may move them. Then tests/backend/test_keras_private.py fails and says what
to do.
"""

from keras.callbacks import SwapEMAWeights

# On torch, Keras replaces the optimiser's class with one of this module, and saves its name.
TORCH_OPTIMIZERS = "keras.src.backend.torch.optimizers"

# The attribute of `SwapEMAWeights` that says whether the averaged weights are in the model.
EMA_WEIGHTS_IN_MODEL = "_ema_weights_in_model"


class AveragedWeights(SwapEMAWeights):
    """Keras' swap of the averaged weights after each epoch, without its finalisation.

    The finalisation replaces the raw weights by their average in the last epoch. A run that is
    resumed with more epochs needs the raw ones.
    """

    def _finalize_ema_values(self) -> None:
        pass
