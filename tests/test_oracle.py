"""The package against a plain PyTorch loop, at widths, sizes and seeds that hypothesis chooses."""

import tempfile
from pathlib import Path

import numpy as np
import pytest
from checks import (
    call,
    channels_first,
    channels_last,
    gradients,
    installed_backends,
    make_clip,
    relative,
    to_numpy,
)

# TensorFlow and JAX trace and compile every case anew.
CASES = {"torch": 12, "tensorflow": 2, "jax": 2}
STEPS = 2
LEARNING_RATE = 1e-3
TINY_EPSILON = 1e-12


def oracle(widths, seed, norm="clip"):
    """A `ReferenceCVAE` of random weights, the norm's included."""
    import torch
    from reference_torch import ReferenceCVAE

    torch.manual_seed(seed)
    model = ReferenceCVAE(*widths, norm=norm)
    batch_norm = model.label_transformation[2]
    with torch.no_grad():
        for tensor, low, high in (
            (batch_norm.weight, 0.5, 2.0),
            (batch_norm.bias, -0.5, 0.5),
            (batch_norm.running_mean, -0.5, 0.5),
            (batch_norm.running_var, 0.5, 2.0),
        ):
            tensor.uniform_(low, high)
    return model.eval()


def random_case(clips, frames, size, maps, seed):
    """frames, poses, eps as float32 channels-last arrays, and the same as the oracle's tensors."""
    import torch

    clip = make_clip(clips, frames, size, seed, eps_maps=maps)
    ours = {k: v / np.float32(255) if v.dtype == np.uint8 else v for k, v in clip.items()}
    return ours, [torch.from_numpy(channels_first(ours[key])) for key in ("frames", "poses", "eps")]


def ours_of(theirs, **overrides):
    """The package's model with the oracle's weights, by way of a checkpoint."""
    import torch

    from keras_cvae import load_lab_checkpoint

    with tempfile.TemporaryDirectory() as folder:
        torch.save({"state_dict": theirs.state_dict()}, Path(folder) / "oracle.ckpt")
        return load_lab_checkpoint(Path(folder) / "oracle.ckpt", **overrides)


def check_rollout(model, theirs, ours, tensors, beta, forcing):
    """Predictions, posterior, losses and gradients in inference mode of the norm."""
    from keras import ops
    from reference_torch import gradient_norms, negative_elbo

    from keras_cvae.losses import frame_mse, gaussian_kl
    from keras_cvae.published.names import lab_variables

    def loss():
        rollout = model.rollout(**ours, teacher_forcing=forcing)
        mse = frame_mse(ours["frames"][:, 1:], rollout.pred)
        kl = gaussian_kl(rollout.mu, rollout.logvar, "sum")
        return ops.mean(mse + beta * kl), (*rollout, mse, kl)

    elbo, grads, (*rollout, mse, kl) = gradients(model, loss)
    theirs.zero_grad()
    expected = theirs.rollout(*tensors, teacher_forcing=forcing)
    expected_elbo = negative_elbo(tensors[0], expected, beta)
    expected_elbo.loss.backward()
    for name, mine, other in zip(expected._fields, rollout, expected, strict=True):
        assert np.abs(to_numpy(mine) - channels_last(other.detach())).max() < 1e-4, name
    assert np.abs(to_numpy(mse).mean(0) - expected_elbo.mse.detach().numpy()).max() < 1e-4
    assert relative(to_numpy(kl).mean(0), expected_elbo.kl.detach()) < 1e-4
    assert relative(elbo, expected_elbo.loss.item()) < 1e-4
    by_variable = dict(zip(map(id, model.trainable_variables), grads, strict=True))
    for module, norm in gradient_norms(theirs).items():
        squares = [
            np.square(by_variable[id(variable)], dtype="float64").sum()
            for key, variable in lab_variables(model)
            if key.startswith(module) and id(variable) in by_variable
        ]
        assert relative(np.sqrt(sum(squares)), norm) < 1e-3, module


def check_training(model, theirs, ours, tensors, beta, forcing):
    """Some optimiser steps of the published recipe, the norm in training mode over the clip."""
    import keras
    import torch

    # Keras' epsilon is inside the bias correction, PyTorch's outside: with none they are the same.
    model.compile(keras.optimizers.Adam(LEARNING_RATE, epsilon=TINY_EPSILON, global_clipnorm=1.0))
    model.beta.assign(beta)
    model.teacher_forcing_ratio.assign(float(forcing))
    optimizer = torch.optim.Adam(theirs.parameters(), LEARNING_RATE, eps=TINY_EPSILON)
    for _ in range(STEPS):
        expected = theirs.train_step(optimizer, *tensors, beta, forcing)
        model.reset_metrics()
        logs = model.train_on_batch(ours, return_dict=True)
        assert relative(logs["loss"], expected.loss.item()) < 1e-4
        assert abs(logs["mse"] - expected.mse.mean().item()) < 1e-4
        assert relative(logs["kl"], expected.kl.mean().item()) < 1e-4
    batch_norm, norm = theirs.label_transformation[2], model.architecture.pose_norm
    # The norm takes away the bias of the convolution before it, whose gradient is nothing but
    # rounding: Adam makes steps of it, in any direction, which the mean follows.
    drift = 2 * STEPS * LEARNING_RATE
    np.testing.assert_allclose(
        to_numpy(norm.moving_mean), batch_norm.running_mean.numpy(), atol=drift, rtol=0
    )
    # PyTorch's moving variance is that of a sample (n - 1), Keras' that of the batch (n).
    n = ours["poses"][:, 1:, ..., 0].size
    np.testing.assert_allclose(
        to_numpy(norm.moving_variance), batch_norm.running_var.numpy(), rtol=1e-3 + 1 / (n - 1)
    )


def agrees_with_the_oracle(backend):
    """Runs the cases that hypothesis chooses on this backend."""
    from hypothesis import Phase, given, settings
    from hypothesis import strategies as st

    side = st.integers(4, 9)
    widths = st.tuples(st.integers(8, 20), st.integers(2, 9), st.integers(4, 9), st.integers(8, 20))

    @settings(
        max_examples=CASES[backend],
        phases=[Phase.generate],  # the first failure is reported; a smaller one takes minutes
        deadline=None,
        derandomize=True,
        database=None,
    )
    @given(
        widths=widths,
        clips=st.integers(1, 2),
        frames=st.integers(2, 4),
        size=st.tuples(side, side),
        beta=st.floats(0.0, 2.0),
        forcing=st.booleans(),
        seed=st.integers(0, 2**32 - 1),
    )
    def agrees(widths, clips, frames, size, beta, forcing, seed):
        import torch

        theirs = oracle(widths, seed)
        model = ours_of(theirs)
        ours, tensors = random_case(clips, frames, size, widths[2], seed)
        check_rollout(model, theirs, ours, tensors, beta, forcing)
        with torch.no_grad():
            first, poses, z = tensors[0][:, 0], tensors[1], tensors[2]
            expected = channels_last(theirs.predict(first, poses, z))
        frame = ours["frames"][:, 0]
        for t in range(1, frames):
            inputs = {
                "previous_frame": frame,
                "pose": ours["poses"][:, t],
                "z": ours["eps"][:, t - 1],
            }
            frame = model.prediction.frame_predictor.predict_on_batch(inputs)
            assert np.abs(frame - expected[:, t - 1]).max() < 1e-4
        check_training(model, theirs, ours, tensors, beta, forcing)

    agrees()


# TensorFlow and JAX compile each case anew; their agreement is also that of tests/test_golden.py.
@pytest.mark.parametrize(
    "backend",
    [
        "torch",
        pytest.param("tensorflow", marks=pytest.mark.slow),
        pytest.param("jax", marks=pytest.mark.slow),
    ],
)
def test_the_package_agrees_with_the_oracle(backend):
    for needed in ("torch", "hypothesis"):
        pytest.importorskip(needed)
    if backend not in installed_backends():
        pytest.skip(f"{backend} is not installed")
    call(agrees_with_the_oracle, backend, backend=backend)


def test_the_oracles_two_norms_differ_in_training_alone():
    torch = pytest.importorskip("torch")
    _, tensors = random_case(2, 4, (5, 6), 4, seed=0)
    rollouts = {}
    for training in (False, True):
        for norm in ("frame", "clip"):
            model = oracle((8, 4, 4, 8), seed=1, norm=norm).train(training)
            with torch.no_grad():
                rollouts[norm] = model.rollout(*tensors, teacher_forcing=False)
        same = torch.equal(rollouts["frame"].mu, rollouts["clip"].mu)
        assert same is not training
    one_step = [tensor[:, :2] for tensor in tensors[:2]] + [tensors[2][:, :1]]
    predictions, statistics = [], []
    for norm in ("frame", "clip"):
        model = oracle((8, 4, 4, 8), seed=1, norm=norm).train()
        with torch.no_grad():
            predictions.append(model.rollout(*one_step, teacher_forcing=False).pred)
        statistics.append(model.label_transformation[2].running_mean)
    assert torch.equal(*predictions)
    torch.testing.assert_close(*statistics)
