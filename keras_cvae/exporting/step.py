"""The exported graph: one step of prediction with named inputs and output."""

import keras

from keras_cvae.backend.tensor import Tensor
from keras_cvae.model.cvae import CVAE
from keras_cvae.predictor import OUTPUT, input_names


class ExportedStep(keras.Model):
    """Previous frame, pose and noise give the next frame, in float32, for any batch size.

    Args:
        model: of float32; its networks are shared.

    Input: a dict of float32 `"previous_frame"` (B, H, W, 3), `"pose"` (B, H, W, 3) and `"z"`
    (B, *latent_shape). With a prior other than N(0, I) the last one is `"noise"`, standard normal
    times the temperature, and z is made of it inside. Output: a dict of `"frame"` (B, H, W, 3)
    float32.
    """

    def __init__(self, model: CVAE):
        super().__init__(autocast=False, name="step")
        self.predictor = model.prediction.frame_predictor
        self.built = True

    def call(self, inputs: dict[str, Tensor]) -> dict[str, Tensor]:
        return {OUTPUT: self.predictor(inputs)}


def input_shapes(model: CVAE, frame_size: tuple[int, int]) -> dict[str, tuple]:
    """The shapes of the step's inputs.

    Args:
        model: whose step it is.
        frame_size: (height, width).

    Returns:
        dict name -> shape; the batch size is `None`.
    """
    image = (None, *frame_size, 3)
    names = input_names(model.architecture.prior)
    return dict(zip(names, (image, image, (None, *model.latent_shape(frame_size))), strict=True))


def float32_copy(model: CVAE) -> CVAE:
    """A model with the same weights that computes in float32 and has no optimiser.

    Args:
        model: of any precision.

    Returns:
        The copy, not compiled.
    """
    copy = CVAE.from_config({**model.get_config(), "dtype": "float32"})
    copy.set_weights(model.get_weights())
    return copy
