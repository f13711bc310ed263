"""The same weights and the same noise give the same training on every backend."""

import numpy as np
import pytest
from checks import TINY, call, installed_backends, make_clip, relative

STEPS = 10


def _train(backend, architecture, folder):
    """Ten steps with teacher forcing and ten without, from the weights in the folder."""
    import keras

    from keras_cvae import CVAE

    model = CVAE(architecture, **TINY, seed=0, prior="learned", ssim_weight=0.1)
    losses, traces = {}, []
    original = model.negative_elbo

    def counted(inputs, training):
        traces.append(training)
        return original(inputs, training)

    for ratio in (1.0, 0.0):
        model.load_weights(f"{folder}/start.weights.h5")
        if ratio == 1.0:
            # Set before the first step and not again: the ratio must not be baked into it.
            model.compile(keras.optimizers.Adam(1e-3, global_clipnorm=1.0))
            model.optimizer.build(model.trainable_variables)
            fresh = [keras.ops.convert_to_numpy(v) for v in model.optimizer.variables]
            model.negative_elbo = counted
        for variable, value in zip(model.optimizer.variables, fresh, strict=True):
            variable.assign(value)
        model.teacher_forcing_ratio.assign(ratio)
        model.beta.assign(0.3)
        losses[f"ratio_{ratio:.0f}"] = [_loss(model, _clip(model, step)) for step in range(STEPS)]
    clip = _clip(model, 0)
    video = model.predict_video(clip["frames"][:, 0], clip["poses"], temperature=0.5, seed=0)
    _, kl = model.compare_to_prior(clip["frames"][0], clip["poses"][0])
    np.savez(f"{folder}/{backend}.npz", traces=len(traces), video=video, kl=kl, **losses)


def _clip(model, step):
    batch = make_clip(frames=3, size=(16, 16), seed=step)
    shape = (2, 2, *model.latent_shape((16, 16)))
    eps = np.random.default_rng([step, 1]).standard_normal(shape).astype("float32")
    return {**batch, "eps": eps}


def _loss(model, batch):
    model.reset_metrics()
    return float(model.train_on_batch(batch, return_dict=True)["loss"])


# Tracing and compiling a step of `lab` takes up to a minute and a half, so it is slow.
ARCHITECTURES = [pytest.param("lab", marks=pytest.mark.slow), "multiscale"]


@pytest.fixture(
    scope="module",
    params=ARCHITECTURES,
)
def trained(request, tmp_path_factory):
    """dict backend -> results."""
    import keras

    from keras_cvae import CVAE

    keras.utils.set_random_seed(0)  # made before the fixture that seeds each test
    architecture = request.param
    folder = tmp_path_factory.mktemp("parity")
    CVAE(architecture, **TINY, seed=0, prior="learned").save_weights(folder / "start.weights.h5")
    backends = installed_backends()
    for backend in backends:
        call(_train, backend, architecture, folder, backend=backend)
    return {backend: dict(np.load(folder / f"{backend}.npz")) for backend in backends}


@pytest.mark.parametrize("ratio", ("ratio_1", "ratio_0"))
def test_ten_steps_agree_on_every_backend(trained, ratio):
    reference = trained["torch"][ratio]
    assert reference[-1] < reference[0]
    for backend, result in trained.items():
        assert relative(result[ratio], reference) < 1e-4, backend


def test_what_is_predicted_after_them_agrees(trained):
    """With z from the learned prior, and with its KL."""
    reference = trained["torch"]
    for backend, result in trained.items():
        for name in ("video", "kl"):
            assert relative(result[name], reference[name]) < 1e-3, (backend, name)


def test_teacher_forcing_makes_a_difference(trained):
    for result in trained.values():
        assert relative(result["ratio_1"], result["ratio_0"]) > 1e-4


def test_a_new_ratio_is_not_a_new_trace(trained):
    for backend, result in trained.items():
        # torch runs the step each time; the others trace it, once or twice, for all twenty.
        expected = 2 * STEPS if backend == "torch" else 2
        assert result["traces"] <= expected, backend
