"""The comparison of an exported model with the Keras model."""

import numpy as np

from keras_cvae.errors import UserError
from keras_cvae.exporting.step import input_shapes
from keras_cvae.images import check_finite
from keras_cvae.model.cvae import CVAE
from keras_cvae.predictor import Predictor

TOLERANCE = 1e-4  # the largest allowed difference of a pixel in [0, 1]
ROLLOUT = 50  # predicted frames
_BATCHES = (3, 1)


def deviations(model: CVAE, predictor: Predictor, frame_size: tuple[int, int]) -> dict[str, float]:
    """The differences between an exported model and the Keras model on random input.

    Args:
        model: the Keras model, float32.
        predictor: of the exported model.
        frame_size: (height, width).

    Returns:
        dict of `"one_step"`, the largest difference of a pixel over several batch sizes, and
        `"rollout"`, the largest one over a free-running rollout of 50 frames.

    Raises:
        UserError: if one is above 1e-4 or not finite.
    """
    rng = np.random.default_rng(0)
    shapes = input_shapes(model, frame_size)
    *images, latents = shapes.values()
    latent_shape = latents[1:]
    one_step = []
    for batch in _BATCHES:
        arrays = [rng.random((batch, *each[1:]), "float32") for each in images]
        arrays.append(rng.standard_normal((batch, *latent_shape), "float32"))
        shape = arrays[0].shape
        ours = model.prediction.step_for(shape, latent_shape)(*arrays)
        theirs = predictor.step_for(shape, latent_shape)(*arrays)
        one_step.append(np.abs(ours - theirs).max())
        if not np.isfinite(ours).all():
            raise UserError(
                "The model predicts values that are not finite from random input: its training "
                "broke. Nothing was written; export another checkpoint."
            )
    first_frame = rng.random((*frame_size, 3), "float32")
    poses = rng.random((ROLLOUT + 1, *frame_size, 3), "float32")
    # By the step that was just recorded or compiled; `predict_video` would compile another loop.
    ours, theirs = (
        np.stack(list(each.stream_video(first_frame[None], poses[None], temperature=1.0, seed=0)))
        for each in (model, predictor)
    )
    check_finite(ours, "The prediction of the model, from random input,")
    found = {"one_step": float(np.max(one_step)), "rollout": float(np.abs(ours - theirs).max())}
    for what, deviation in found.items():
        if not deviation <= TOLERANCE:  # NaN fails too
            raise UserError(
                f"The exported model differs from Keras by {deviation:.2g} ({what} of random "
                f"input); at most {TOLERANCE:g} is allowed. Nothing was written. Try another "
                "format or backend."
            )
    return found
