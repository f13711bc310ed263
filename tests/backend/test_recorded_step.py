"""PyTorch's own convolutions do what `keras.ops` do, and a recorded step what the network does."""

import numpy as np
import pytest
from checks import TINIEST, run_python

torch = pytest.importorskip("torch")
import keras  # noqa: E402
from keras import ops  # noqa: E402

from keras_cvae import CVAE  # noqa: E402
from keras_cvae.backend.convolutions import generic  # noqa: E402
from keras_cvae.backend.convolutions import torch as native  # noqa: E402
from keras_cvae.backend.recorded_step import RecordedStep  # noqa: E402

pytestmark = pytest.mark.skipif(keras.backend.backend() != "torch", reason="Keras is not on torch")
KERNELS = {"conv3x3": (3, 3, 5, 7), "depthwise3x3": (3, 3, 5, 1), "pointwise": (5, 7)}


@pytest.mark.parametrize("name", KERNELS)
@pytest.mark.parametrize("size", [(1, 4, 4), (2, 9, 6)])
def test_values_and_gradients_are_those_of_keras(name, size):
    rng = np.random.default_rng(0)
    outputs = 5 if name == "depthwise3x3" else 7
    arrays = [rng.random((*size, 5)), rng.random(KERNELS[name]), rng.random(outputs)]
    weights = torch.tensor(rng.random((*size, outputs)), dtype=torch.float32)
    results = []
    for module in (native, generic):
        tensors = [torch.tensor(a, dtype=torch.float32, requires_grad=True) for a in arrays]
        y = getattr(module, name)(*tensors)
        results.append([y, *torch.autograd.grad((y * weights).sum(), tensors)])
    for ours, theirs in zip(*results, strict=True):
        assert ours.shape == theirs.shape
        torch.testing.assert_close(ours, theirs, rtol=1e-4, atol=1e-5)


def test_small_images_have_a_gradient_on_one_thread():
    run_python(
        "import torch\ntorch.set_num_threads(1)\nimport keras\n"
        "from checks import TINIEST, make_clip\nfrom keras_cvae import CVAE\n"
        "model = CVAE('lab', **TINIEST)\nmodel.compile('adam')\n"
        "model.train_on_batch(make_clip(clips=1, frames=2, size=(4, 4)))",
        backend="torch",
    )


def inputs(model, seed=0):
    rng = np.random.default_rng(seed)
    shapes = ((1, 8, 16, 3), (1, 8, 16, 3), (1, *model.latent_shape((8, 16))))
    return [rng.random(shape).astype("float32") for shape in shapes]


@pytest.mark.parametrize("preset", ["lab_small", "multiscale"])
@pytest.mark.parametrize("dtype", ["float32", "mixed_bfloat16"])
def test_a_recorded_step_is_the_network_with_its_present_weights(preset, dtype):
    model = CVAE.from_preset(preset, dtype=dtype, seed=0)
    predictor = model._predictor.model
    outputs = []
    for factor in (1.0, 1.3, 0.7):
        for variable in model.architecture.variables:
            variable.assign(variable * factor)
        step = predictor.step_for((1, 8, 16, 3), model.latent_shape((8, 16)))
        for seed in (0, 1, 2):  # what is computed once must stay as it was
            x = inputs(model, seed)
            expected = predictor.predict_on_batch(
                dict(zip(("previous_frame", "pose", "z"), x, strict=True))
            )
            np.testing.assert_array_equal(step(*x), expected)
        outputs.append(expected)
    assert np.abs(outputs[0] - outputs[1]).max() > 0


def test_it_is_recorded_once_per_shape():
    model = CVAE("lab", **TINIEST, seed=0)
    predictor = model._predictor.model
    recorded = []
    for size in ((8, 12), (8, 12), (5, 6)):
        predictor.step_for((1, *size, 3), model.latent_shape(size))
        recorded.append(predictor._recorded[1])
    assert recorded[0] is recorded[1]
    assert recorded[2] is not recorded[1]


def test_operations_in_place_do_not_change_what_is_computed_once():
    weight = keras.Variable(np.float32([1.0, 2.0]))
    step = RecordedStep(
        lambda x: x * ops.convert_to_tensor(weight).add(1.0).mul_(2.0).sqrt_(),
        [weight],
        [torch.ones(2)],
    )
    step.refresh()
    first, second = (step(torch.ones(2)).tolist() for _ in range(2))
    assert first == second == pytest.approx([2.0, 6.0**0.5])
    weight.assign([7.0, 17.0])
    step.refresh()
    assert step(torch.ones(2)).tolist() == pytest.approx([4.0, 6.0])
