"""Batch normalisation whose moving statistics count the frames of a clip."""

import keras
from keras import layers


@keras.saving.register_keras_serializable("keras_cvae")
class ClipBatchNormalization(layers.BatchNormalization):
    """Batch normalisation over all frames of a batch of clips at once.

    The published system normalises frame by frame and so moves its moving statistics T - 1 times a
    clip. Here the statistics are those of the whole clip batch, and one update moves the moving
    statistics as far as those T - 1 do: the decay is `momentum ** frames`.

    Args:
        momentum: float, decay of the moving statistics per frame (0.9 is PyTorch's momentum 0.1).
        epsilon: float, added to the variance.

    Input: (B, frames, H, W, C), `frames` static. Output: the same shape.
    """

    def call(self, inputs, training=None, mask=None):
        per_frame = self.momentum
        # Read once while the layer is traced; the parent uses it for nothing but the update.
        self.momentum = per_frame ** inputs.shape[1]
        try:
            return super().call(inputs, training=training, mask=mask)
        finally:
            self.momentum = per_frame
