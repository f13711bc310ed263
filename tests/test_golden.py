"""Parity with the published system: golden values, on every backend and for the oracle itself."""

from pathlib import Path

import numpy as np
import pytest
from checks import (
    BACKENDS,
    GOLDEN,
    call,
    channels_first,
    channels_last,
    gradients,
    installed_backends,
    relative,
    to_numpy,
)

FULL = Path(__file__).parents[1].parent / "shared/reference"  # too large for the repository
FOLDERS = {"lab_tiny": GOLDEN, "lab_full": FULL}
MODULES = (
    "frame_transformation",
    "label_transformation",
    "Gaussian_Predictor",
    "Decoder_Fusion",
    "Generator",
)
SIZES = [
    "lab_tiny",
    pytest.param(
        "lab_full",
        marks=pytest.mark.skipif(
            not (FULL / "lab_full.ckpt").exists(), reason=f"no lab_full.ckpt in {FULL}"
        ),
    ),
]
CASES = [
    pytest.param(backend, *getattr(size, "values", (size,)), marks=marks)
    for backend in BACKENDS
    for size in SIZES
    # Tracing and compiling the gradients at the published widths takes minutes: on torch alone.
    # On the others the small ones take 40 s; tests/backend/test_parity.py compares them.
    for marks in [
        [*getattr(size, "marks", ())] + ([pytest.mark.slow] if backend != "torch" else [])
    ]
]
# Absolute and relative tolerances in float32.
ABSOLUTE = {"pred": 1e-4, "mu": 1e-4, "logvar": 1e-4, "mse": 1e-4}
RELATIVE = {"kl": 1e-4, "elbo": 1e-4, "gradnorm": 1e-3}


def compute_golden(backend, size, out):
    """Everything that the golden files of a size hold, by the package, on this backend."""
    from keras import ops

    from keras_cvae import load_lab_checkpoint
    from keras_cvae.losses import frame_mse, gaussian_kl
    from keras_cvae.published.names import lab_variables

    results, folder = {}, FOLDERS[size]
    golden = np.load(folder / f"{size}_golden.npz")
    model = load_lab_checkpoint(folder / f"{size}.ckpt", output="none")
    frames, poses, eps = (channels_last(golden[key]) for key in ("frames", "poses", "eps"))
    beta = float(golden["beta"])
    for forcing in (0, 1):

        def loss(forcing=forcing):
            rollout = model.rollout(frames, poses, eps, teacher_forcing=bool(forcing))
            mse = frame_mse(frames[:, 1:], rollout.pred)
            kl = gaussian_kl(rollout.mu, rollout.logvar, "sum")
            return ops.mean(mse + beta * kl), (*rollout, mse, kl)

        elbo, grads, (*rollout, mse, kl) = gradients(model, loss)
        prefix = f"{size}_eval_tf{forcing}"
        for key, value in zip(("pred", "mu", "logvar"), rollout, strict=True):
            results[f"{prefix}_{key}"] = channels_first(to_numpy(value))
        for key, value in (("mse", mse), ("kl", kl)):
            results[f"{prefix}_{key}"] = to_numpy(value).mean(axis=0)
        results[f"{prefix}_elbo"] = elbo
        by_variable = dict(zip(map(id, model.trainable_variables), grads, strict=True))
        for module in MODULES:
            squares = [
                np.square(by_variable[id(variable)], dtype="float64").sum()
                for key, variable in lab_variables(model)
                if key.startswith(module) and id(variable) in by_variable
            ]
            results[f"{prefix}_gradnorm_{module}"] = np.sqrt(sum(squares))
    model.beta.assign(beta)
    model.compile("sgd")
    logs = model.test_on_batch({"frames": frames, "poses": poses, "eps": eps}, return_dict=True)
    results[f"{size}_logs"] = [logs[key] for key in ("loss", "mse", "kl")]
    frame, predicted = frames[:, 0], []
    for t in range(1, poses.shape[1]):
        inputs = {"previous_frame": frame, "pose": poses[:, t], "z": eps[:, t - 1]}
        frame = model.prediction.frame_predictor.predict_on_batch(inputs)
        predicted.append(frame)
    results[f"{size}_prior_pred"] = channels_first(np.stack(predicted, axis=1))
    np.savez(out, **results)


@pytest.fixture(scope="module")
def computed(tmp_path_factory):
    """A function of backend and size that gives the results, computed once."""
    pytest.importorskip("torch", reason="torch reads the published checkpoints")
    folder = tmp_path_factory.mktemp("golden")

    def of(backend, size):
        if backend not in installed_backends():
            pytest.skip(f"{backend} is not installed")
        file = folder / f"{backend}-{size}.npz"
        if not file.exists():
            call(compute_golden, backend, size, file, backend=backend)
        return np.load(file)

    return of


@pytest.mark.parametrize("forcing", [1, 0], ids=["forced", "free"])
@pytest.mark.parametrize(("backend", "size"), CASES)
def test_posterior_rollout_has_the_golden_values(computed, backend, size, forcing):
    results, golden = computed(backend, size), np.load(FOLDERS[size] / f"{size}_golden.npz")
    key = f"eval_tf{forcing}"
    for name, tolerance in ABSOLUTE.items():
        ours, theirs = results[f"{size}_{key}_{name}"], golden[f"{key}_{name}"]
        assert ours.shape == theirs.shape
        assert np.abs(ours - theirs).max() < tolerance, name
    for name in ("kl", "elbo"):
        ours, theirs = results[f"{size}_{key}_{name}"], golden[f"{key}_{name}"]
        assert ours.shape == theirs.shape
        assert relative(ours, theirs) < RELATIVE[name], name
    for module in MODULES:
        ours = results[f"{size}_{key}_gradnorm_{module}"]
        assert relative(ours, golden[f"{key}_gradnorm_{module}"]) < RELATIVE["gradnorm"], module


@pytest.mark.parametrize(("backend", "size"), CASES)
def test_the_models_own_loss_is_the_golden_elbo(computed, backend, size):
    results, golden = computed(backend, size), np.load(FOLDERS[size] / f"{size}_golden.npz")
    loss, mse, kl = results[f"{size}_logs"]
    assert relative(loss, golden["eval_tf0_elbo"]) < 1e-4
    assert abs(mse - golden["eval_tf0_mse"].mean()) < 1e-4
    assert relative(kl, golden["eval_tf0_kl"].mean()) < 1e-4


@pytest.mark.parametrize(("backend", "size"), CASES)
def test_prior_rollout_has_the_golden_values(computed, backend, size):
    results, golden = computed(backend, size), np.load(FOLDERS[size] / f"{size}_golden.npz")
    ours = results[f"{size}_prior_pred"]
    assert ours.shape == golden["prior_pred"].shape
    assert np.abs(ours - golden["prior_pred"]).max() < 1e-4


@pytest.mark.parametrize("size", SIZES)
def test_the_oracle_has_the_golden_values(size):
    torch = pytest.importorskip("torch")
    from reference_torch import gradient_norms, load_reference, negative_elbo

    model = load_reference(FOLDERS[size] / f"{size}.ckpt")
    golden = np.load(FOLDERS[size] / f"{size}_golden.npz")
    frames, poses, eps = (torch.from_numpy(golden[key]) for key in ("frames", "poses", "eps"))
    for forcing in (1, 0):
        key = f"eval_tf{forcing}"
        model.zero_grad()
        rollout = model.rollout(frames, poses, eps, teacher_forcing=bool(forcing))
        elbo = negative_elbo(frames, rollout, float(golden["beta"]))
        elbo.loss.backward()
        for name, value in (*rollout._asdict().items(), ("mse", elbo.mse)):
            assert np.abs(value.detach().numpy() - golden[f"{key}_{name}"]).max() < 1e-5, name
        assert relative(elbo.kl.detach(), golden[f"{key}_kl"]) < 1e-5
        assert relative(elbo.loss.item(), golden[f"{key}_elbo"]) < 1e-5
        for module, norm in gradient_norms(model).items():
            assert relative(norm, golden[f"{key}_gradnorm_{module}"]) < 1e-4, module
    with torch.no_grad():
        predicted = model.predict(frames[:, 0], poses, eps)
    assert np.abs(predicted.numpy() - golden["prior_pred"]).max() < 1e-5
