import keras
import numpy as np
import pytest
from checks import TINIEST

from keras_cvae import CVAE
from keras_cvae.backend.numpy_step import NumpyStep


def inputs(model, seed=0):
    rng = np.random.default_rng(seed)
    shapes = ((1, 8, 16, 3), (1, 8, 16, 3), (1, *model.latent_shape((8, 16))))
    return [rng.random(shape).astype("float32") for shape in shapes]


@pytest.mark.parametrize("preset", ["lab_small", "multiscale"])
@pytest.mark.parametrize("dtype", ["float32", "mixed_bfloat16"])
def test_the_step_is_the_network_with_its_present_weights(preset, dtype):
    model = CVAE.from_preset(preset, dtype=dtype, seed=0)
    predictor = model.prediction.frame_predictor
    outputs = []
    for factor in (1.0, 0.8, 0.6):
        for variable in model.architecture.variables:
            variable.assign(variable * factor)
        step = model.prediction.step_for((1, 8, 16, 3), model.latent_shape((8, 16)))
        for seed in (0, 1, 2):  # what is computed once must stay as it was
            x = inputs(model, seed)
            expected = predictor.predict_on_batch(
                dict(zip(("previous_frame", "pose", "z"), x, strict=True))
            )
            # The same operations; oneDNN's convolution sums in another order.
            rounding = 5e-6 if dtype == "float32" else 2e-2
            np.testing.assert_allclose(step(*x), expected, rtol=0, atol=rounding)
        outputs.append(step(*x))
    assert np.abs(outputs[0] - outputs[1]).max() > 4 * rounding


@pytest.mark.skipif(keras.backend.backend() != "torch", reason="recorded on torch alone")
def test_it_is_recorded_once_per_shapes(monkeypatch):
    from keras_cvae.backend import recorded_step

    made = []

    class Counts(recorded_step.RecordedStep):
        def __init__(self, *arguments):
            made.append(tuple(arguments[3][0].shape[1:3]))
            super().__init__(*arguments)

    monkeypatch.setattr(recorded_step, "RecordedStep", Counts)
    model = CVAE("lab", **TINIEST, seed=0)
    step = NumpyStep(model.prediction.frame_predictor, model.prediction.frame_predictor.input_names)
    for size in ((8, 12), (8, 12), (5, 6)):
        step.for_shapes((1, *size, 3), (1, *size, 3), (1, *model.latent_shape(size)))
    assert made == [(8, 12), (5, 6)]
