"""The exported graph: one step of prediction, its inputs and its output by name."""

import keras

from keras_cvae.model.cvae import CVAE
from keras_cvae.predictor import INPUTS, OUTPUT


class ExportedStep(keras.Model):
    """Previous frame, pose and z give the next frame, in float32, with a free batch size.

    Args:
        model: float32 `CVAE`, whose networks it shares.

    Input: a dict of float32 `"previous_frame"` (B, H, W, 3), `"pose"` (B, H, W, 3) and `"z"`
    (B, *latent_shape). Output: a dict of `"frame"` (B, H, W, 3) float32.
    """

    def __init__(self, model):
        super().__init__(autocast=False, name="step")
        self.predictor = model.prediction.frame_predictor
        self.built = True

    def call(self, inputs):
        return {OUTPUT: self.predictor(inputs)}


def input_shapes(model, frame_size):
    """The shapes of the step's inputs: dict name -> tuple, the batch size being `None`."""
    image = (None, *frame_size, 3)
    return dict(zip(INPUTS, (image, image, (None, *model.latent_shape(frame_size))), strict=True))


def float32_copy(model):
    """A `CVAE` of the same weights that computes in float32 and has no optimiser.

    Args:
        model: `CVAE`, of any precision.

    Returns:
        `CVAE`, not compiled.
    """
    copy = CVAE.from_config({**model.get_config(), "dtype": "float32"})
    copy.set_weights(model.get_weights())
    return copy
