"""Activations computed again change the memory of a step and nothing else."""

import itertools
import json

import numpy as np
import pytest
from checks import TINIEST, call, installed_backends, make_clip


def _losses(backend):
    """Two steps rolled out and two teacher-forced, without and with, from the same weights.

    With one pass and with two; 19 predictions of two clips are two whole groups and a part of one.
    """
    import keras

    from keras_cvae import CVAE

    results = []
    for stopped, rematerialise in itertools.product((False, True), (False, True)):
        keras.utils.set_random_seed(0)
        model = CVAE(
            "multiscale",
            **TINIEST,
            stop_feedback_gradient=stopped,
            rematerialise=rematerialise,
            seed=0,
        )
        assert model.two_passes == stopped
        model.compile(keras.optimizers.Adam(1e-2))
        batch = make_clip(2, 20, (8, 16))
        losses = []
        for ratio in (0.0, 0.0, 1.0, 1.0):
            model.teacher_forcing_ratio.assign(ratio)
            # By `fit`, where TensorFlow does not know the size of a batch.
            history = model.fit(batch, batch_size=2, shuffle=False, verbose=0).history
            losses.append(float(history["loss"][0]))
        results.append(losses)
    print(json.dumps(results))


@pytest.mark.parametrize(
    "backend",
    ["torch", *(pytest.param(name, marks=pytest.mark.slow) for name in ("tensorflow", "jax"))],
)
def test_training_is_the_same_on_every_backend(backend):
    if backend not in installed_backends():
        pytest.skip(f"{backend} is not installed")
    printed = call(_losses, backend, backend=backend)
    losses = json.loads(printed.strip().splitlines()[-1])
    for kept, recomputed in (losses[:2], losses[2:]):
        assert len(set(kept)) == 4
        np.testing.assert_allclose(recomputed, kept, rtol=1e-5)


def _kept_bytes(frames, rematerialise, ratio):
    """Bytes that PyTorch keeps of a clip's forward pass for the gradient."""
    import torch

    from keras_cvae import CVAE

    model = CVAE("lab", **TINIEST, rematerialise=rematerialise, seed=0)
    model.teacher_forcing_ratio.assign(ratio)
    storages = {}

    def keep(tensor):
        storage = tensor.untyped_storage()
        storages[storage.data_ptr()] = (storage.nbytes(), tensor)
        return tensor

    with torch.autograd.graph.saved_tensors_hooks(keep, lambda tensor: tensor):
        loss, _ = model.negative_elbo(make_clip(1, frames, (8, 16)), training=True)
    assert loss.requires_grad
    weights = sum(variable.value.nbytes for variable in model.trainable_variables)
    return sum(size for size, _ in storages.values()) - weights


@pytest.mark.parametrize("ratio", [0.0, 1.0], ids=["free", "forced"])
def test_a_long_clip_keeps_a_fraction(ratio):
    pytest.importorskip("torch")
    import keras

    if keras.backend.backend() != "torch":
        pytest.skip("the tensors kept for the gradient are counted with PyTorch's hooks")
    kept, anew = (_kept_bytes(32, on, ratio) for on in (False, True))
    assert anew < kept / 3
