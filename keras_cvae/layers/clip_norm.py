"""Batch normalisation over clips, with moving statistics that count frames."""

from typing import Any

import keras
from keras import layers

from keras_cvae.backend.tensor import Tensor


@keras.saving.register_keras_serializable("keras_cvae")
class ClipBatchNormalization(layers.BatchNormalization):
    """Batch normalisation over all frames of a batch of clips at once.

    The published system normalises frame by frame, so it updates its moving statistics T - 1 times
    per clip. Here the statistics are those of the whole batch of clips, and one update has the
    decay `momentum ** frames`, which equals that of `frames` updates.

    Args:
        momentum: decay of the moving statistics per frame (0.9 is PyTorch's momentum 0.1).
        epsilon: added to the variance.

    Input: (B, frames, H, W, C), `frames` static. Output: the same shape.
    """

    momentum: Any  # set by the parent

    def call(
        self, inputs: Tensor, training: bool | None = None, mask: Tensor | None = None
    ) -> Tensor:
        per_frame = self.momentum
        # The parent reads it once, while the layer is traced, for the update alone.
        self.momentum = per_frame ** inputs.shape[1]
        try:
            return super().call(inputs, training=training, mask=mask)
        finally:
            self.momentum = per_frame
