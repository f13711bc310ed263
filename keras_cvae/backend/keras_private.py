"""The parts of Keras that are not public and that this package relies on, all in one place.

A new version of Keras may move them. tests/backend/test_keras_private.py fails then and says what
to do.
"""

from keras.callbacks import SwapEMAWeights

# On torch, Keras replaces an optimiser's class by one of this module and saves its name.
TORCH_OPTIMIZERS = "keras.src.backend.torch.optimizers"

# `SwapEMAWeights` notes here whether the averaged weights are in the model.
EMA_WEIGHTS_IN_MODEL = "_ema_weights_in_model"


class AveragedWeights(SwapEMAWeights):
    """Keras' swap of the averaged weights after each epoch, without its finalisation.

    The finalisation replaces the raw weights by their average in the last epoch. A run that is
    resumed with more epochs needs the raw ones.
    """

    def _finalize_ema_values(self):
        pass
