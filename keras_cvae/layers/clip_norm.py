"""Batch normalisation over clips, with moving statistics that count frames."""

from typing import Any

import keras
from keras import layers

from keras_cvae.backend.batch_share import whole_batch_moments
from keras_cvae.backend.tensor import Tensor


@keras.saving.register_keras_serializable("keras_cvae")
class ClipBatchNormalization(layers.BatchNormalization):
    """Batch normalisation over all frames of a batch of clips at once.

    The published system normalises frame by frame, so it updates its moving statistics T - 1 times
    per clip. Here the statistics are those of the whole batch of clips, and one update has the
    decay `momentum ** frames`, which equals that of `frames` updates. Of a batch whose rows are on
    several devices the statistics are those of all rows.

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
        try:
            return super().call(inputs, training=training, mask=mask)
        finally:
            self.momentum = per_frame

    def _moments(self, inputs: Tensor, mask: Tensor | None) -> tuple[Tensor, Tensor]:
        """Keras' hook: the statistics are those of the whole batch, wherever its rows are."""
        moments = whole_batch_moments(*super()._moments(inputs, mask))
        # The parent reads it next, for the update alone, and `call` takes it back. Not before: on
        # TensorFlow, replicas are traced in turns and change places where they wait for another.
        self.momentum **= inputs.shape[1]
        return moments
