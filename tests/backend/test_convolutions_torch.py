"""PyTorch's own convolutions do what those of `keras.ops` do."""

import numpy as np
import pytest
from checks import run_python

torch = pytest.importorskip("torch")
import keras  # noqa: E402
import reference_convolutions  # noqa: E402
from keras import ops  # noqa: E402

from keras_cvae.backend import convolutions_torch  # noqa: E402

pytestmark = pytest.mark.skipif(keras.backend.backend() != "torch", reason="Keras is not on torch")
KERNELS = {"conv3x3": (3, 3, 5, 7), "depthwise3x3": (3, 3, 5, 1), "pointwise": (5, 7)}


@pytest.mark.parametrize("name", KERNELS)
@pytest.mark.parametrize("size", [(1, 4, 4), (2, 9, 6)])
def test_values_and_gradients_are_those_of_keras(name, size):
    rng = np.random.default_rng(0)
    outputs = 5 if name == "depthwise3x3" else 7
    arrays = [rng.random((*size, 5)), rng.random(KERNELS[name]), rng.random(outputs)]
    factors = ops.convert_to_tensor(rng.random((*size, outputs)), "float32")
    results = []
    for module in (convolutions_torch, reference_convolutions):
        tensors = [ops.convert_to_tensor(a, "float32").requires_grad_() for a in arrays]
        x, *weights = tensors
        y = getattr(module, name)(x, weights)
        results.append([y, *torch.autograd.grad((y * factors).sum(), tensors)])
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
