"""The prior of z in training and in prediction."""

import itertools
import json

import keras
import numpy as np
import pytest
from checks import TINIEST, call_on_each, gradients, make_clip, rounding, to_numpy
from keras import ops

from keras_cvae import CVAE
from keras_cvae.errors import UserError
from keras_cvae.losses import gaussian_kl
from keras_cvae.model.rollout import free_running, teacher_forced

PRIORS = ("pose", "learned")
SIZE = (8, 16)


def make_model(architecture="multiscale", prior="learned", **options):
    keras.utils.set_random_seed(0)
    options = {"initialisation": "pytorch", "seed": 0, **options}
    return CVAE(architecture, **TINIEST, prior=prior, **options)


def clip(model, frames=5, **options):
    batch = make_clip(2, frames, SIZE, **options)
    shape = (2, frames - 1, *model.latent_shape(SIZE))
    batch["eps"] = np.random.default_rng(1).standard_normal(shape).astype("float32")
    return batch


def roll_out(model, batch, choose):
    inputs = {name: ops.convert_to_tensor(x) for name, x in batch.items()}
    _, rollout, prior = model._roll_out(inputs, choose)
    return rollout, [to_numpy(each) for each in prior]


@pytest.fixture(params=["lab", "multiscale"])
def architecture(request):
    return request.param


@pytest.mark.parametrize("choose", [teacher_forced, free_running])
@pytest.mark.parametrize("passes", ["one", "two", "one rematerialised", "two rematerialised"])
def test_prior_t_sees_the_frame_that_the_decoder_sees(architecture, choose, passes):
    model = make_model(architecture)
    model.two_passes, model.rematerialise = "two" in passes, "rematerialised" in passes
    batch = clip(model)
    inputs = {name: ops.convert_to_tensor(x) for name, x in batch.items()}
    _, rollout, prior = model._roll_out(inputs, choose, training=True)
    true = batch["frames"].astype("float32") / 255
    own = np.concatenate([true[:, :1], to_numpy(rollout.pred)[:, :-1]], axis=1)
    previous = true[:, :-1] if choose is teacher_forced else own
    networks = model.architecture
    features = networks.encode_poses(
        ops.convert_to_tensor(batch["poses"][:, 1:].astype("float32") / 255), training=True
    )
    for t in range(4):
        seen = networks.encode_frames(ops.convert_to_tensor(previous[:, t]))
        for found, expected in zip(prior, networks.expect(seen, features[:, t]), strict=True):
            np.testing.assert_allclose(to_numpy(found)[:, t], to_numpy(expected), atol=2e-5)


def test_the_prior_of_the_pose_sees_no_frame(architecture):
    model = make_model(architecture, "pose")
    batch = clip(model)
    _, prior = roll_out(model, batch, free_running)
    _, other = roll_out(model, {**batch, "frames": 255 - batch["frames"]}, free_running)
    for one, two in zip(prior, other, strict=True):
        np.testing.assert_array_equal(one, two)


@pytest.mark.parametrize("prior", PRIORS)
def test_the_kl_is_that_from_the_prior(architecture, prior):
    model = make_model(architecture, prior, kl_reduction="sum")
    batch = clip(model)
    rollout, parameters = roll_out(model, batch, free_running)
    expected = to_numpy(gaussian_kl(rollout.mu, rollout.logvar, "sum", tuple(parameters)))
    _, terms = model.negative_elbo(
        {name: ops.convert_to_tensor(x) for name, x in batch.items()}, training=False
    )
    assert float(to_numpy(terms["kl"])) == pytest.approx(expected.mean(), rel=1e-5)
    assert expected.mean() > 0.1


def test_no_gradient_reaches_the_previous_frame_by_the_prior():
    """Of the KL of frame 2, which sees prediction 1, only what the prior computes has a gradient.

    The last network of the decoder changes prediction 1, and nothing that the prior computes.
    """
    model = make_model(stop_feedback_gradient=False)
    batch = clip(model, frames=3)
    inputs = {name: ops.convert_to_tensor(x) for name, x in batch.items()}

    def kl():
        _, rollout, prior = model._roll_out(inputs, free_running, training=True)
        posterior = [ops.stop_gradient(each) for each in (rollout.mu, rollout.logvar)]
        return ops.sum(gaussian_kl(*posterior, "sum", prior)[:, 1]), ()

    _, grads, _ = gradients(model, kl)
    norms = {
        variable.path: float(np.abs(grad).max()) if grad is not None else 0.0
        for variable, grad in zip(model.trainable_weights, grads, strict=True)
    }
    last = {path: norm for path, norm in norms.items() if "up_fine" in path}
    prior = {path: norm for path, norm in norms.items() if "prior" in path}
    assert last and max(last.values()) == 0
    assert prior and min(prior.values()) > 0


@pytest.mark.parametrize("prior", PRIORS)
def test_passes_agree(architecture, prior):
    model = make_model(architecture, prior, output="sigmoid")
    model.teacher_forcing_ratio.assign(0.0)
    model.beta.assign(0.1)
    # 18 images are more than are decoded together.
    batch = {name: ops.convert_to_tensor(x) for name, x in clip(model, 10).items()}
    found = []
    for two_passes, rematerialise in itertools.product((False, True), (False, True)):
        model.two_passes, model.rematerialise = two_passes, rematerialise
        found.append(gradients(model, lambda: model.negative_elbo(batch, training=True)))
    loss, one, _ = found[0]
    norm = np.sqrt(sum(np.square(g).sum() for g in one))
    for other_loss, other, _ in found[1:]:
        assert loss == pytest.approx(other_loss, rel=rounding(1e-6))
        difference = np.sqrt(sum(np.square(a - b).sum() for a, b in zip(one, other, strict=True)))
        assert norm > 0 and difference < rounding(1e-5) * norm


@pytest.mark.parametrize(
    ("architecture", "prior"),
    [("multiscale", "learned"), ("multiscale", "pose")]
    + [pytest.param("lab", prior, marks=pytest.mark.slow) for prior in PRIORS],
)
def test_a_prediction_has_z_of_the_prior(architecture, prior):
    """By hand: z = mean + temperature * deviation * noise from the frame before, then the step."""
    model = make_model(architecture, prior)
    batch = clip(model, seed=3)
    first, poses = batch["frames"][:, 0], batch["poses"]
    video = model.predict_video(first, poses, temperature=0.7, seed=5)
    noise = np.random.default_rng(5)
    networks, frame, latents = model.architecture, video[:, 0], []
    for t in range(1, 5):
        eps = noise.standard_normal((2, *model.latent_shape(SIZE)), "float32")
        shown = ops.convert_to_tensor(poses[:, t].astype("float32") / 255)
        pose = networks.encode_poses(shown[:, None])[:, 0]
        seen = networks.encode_frames(ops.convert_to_tensor(frame))
        mu, logvar = map(to_numpy, networks.expect(seen, pose))
        latents.append(mu + np.exp(logvar / 2) * np.float32(0.7) * eps)
        frame = to_numpy(networks.step(ops.convert_to_tensor(frame), pose, latents[-1]))
        np.testing.assert_allclose(video[:, t], frame, atol=1e-5)
    given = model.predict_video(first, poses, z=np.stack(latents, axis=1))
    np.testing.assert_allclose(given, video, atol=1e-5)
    streamed = model.stream_video(first, poses, z=np.stack(latents, axis=1))
    np.testing.assert_allclose(np.stack(list(streamed), axis=1), video[:, 1:], atol=1e-5)
    sampled = model.stream_video(first, poses, temperature=0.7, seed=5)
    np.testing.assert_allclose(np.stack(list(sampled), axis=1), video[:, 1:], atol=1e-5)


def test_what_the_posterior_adds_is_that_under_teacher_forcing(architecture):
    for prior in ("standard", *PRIORS):
        model = make_model(architecture, prior)
        batch = clip(model)
        inputs = {name: ops.convert_to_tensor(x) for name, x in batch.items()}
        _, rollout, parameters = model._roll_out(inputs, teacher_forced)
        expected = to_numpy(gaussian_kl(rollout.mu, rollout.logvar, "sum", parameters))
        mean = 0 if parameters is None else to_numpy(parameters[0])
        for i in range(2):
            shift, kl = model.compare_to_prior(batch["frames"][i], batch["poses"][i])
            np.testing.assert_allclose(kl, expected[i], rtol=1e-4)
            np.testing.assert_allclose(shift, (to_numpy(rollout.mu) - mean)[i], atol=1e-5)


@pytest.mark.parametrize("prior", PRIORS)
def test_training_lowers_the_loss_and_the_model_is_saved_whole(prior, tmp_path):
    model = make_model(prior=prior)
    model.compile(keras.optimizers.Adam(3e-3), jit_compile=False)
    batch = clip(model)
    losses = [model.train_on_batch(batch, return_dict=True)["loss"] for _ in range(2)]
    model.reset_metrics()
    for _ in range(30):
        model.reset_metrics()
        logs = model.train_on_batch(batch, return_dict=True)
    assert logs["loss"] < 0.9 * losses[0]
    model.save(tmp_path / "m.keras")
    loaded = keras.saving.load_model(tmp_path / "m.keras")
    assert loaded.get_config()["prior"] == prior
    pair = batch["frames"][:, 0], batch["poses"]
    one, two = (each.predict_video(*pair, temperature=1.0, seed=0) for each in (model, loaded))
    np.testing.assert_array_equal(one, two)


@pytest.mark.parametrize("prior", PRIORS)
def test_in_lower_precision_the_latent_is_float32(prior):
    exact, lower = (make_model(prior=prior, dtype=dtype) for dtype in ("float32", "mixed_bfloat16"))
    lower.set_weights(exact.get_weights())
    batch = clip(exact)
    rollout, parameters = roll_out(lower, batch, free_running)
    assert {each.dtype for each in parameters} == {np.dtype("float32")}
    assert to_numpy(rollout.mu).dtype == np.float32
    kls = [
        each.compare_to_prior(batch["frames"][0], batch["poses"][0])[1] for each in (exact, lower)
    ]
    np.testing.assert_allclose(*kls, rtol=0.05)
    pair = batch["frames"][:, 0], batch["poses"]
    one, two = (each.predict_video(*pair, temperature=1.0, seed=0) for each in (exact, lower))
    assert 0 < np.abs(one - two).max() < 0.05


def test_a_model_without_the_setting_has_the_standard_prior():
    model = make_model(prior="standard")
    config = model.get_config()
    del config["prior"]  # as files of earlier versions
    loaded = CVAE.from_config(config)
    assert loaded.architecture.prior == "standard"
    assert loaded.count_params() == model.count_params()


def test_an_unknown_prior_is_refused():
    with pytest.raises(
        UserError, match="Unknown prior 'normal'; expected one of standard, pose, learned"
    ):
        make_model(prior="normal")


def _numbers(backend, *architectures):
    """Losses of forced and free training, a prediction and a KL, from equal weights."""
    found = []
    for name in architectures:
        architecture, prior = name.split("-")
        model = make_model(architecture, prior, output="sigmoid")
        model.compile("sgd", jit_compile=False)
        batch = clip(model, 3)
        for ratio in (0.0, 1.0):
            model.teacher_forcing_ratio.assign(ratio)
            model.reset_metrics()
            found.append(float(model.train_on_batch(batch, return_dict=True)["loss"]))
        video = model.predict_video(batch["frames"][:, 0], batch["poses"], 0.5, seed=0)
        found.append(float(video[:, 1:].mean()))
        found.append(float(model.compare_to_prior(batch["frames"][0], batch["poses"][0])[1].mean()))
    print(json.dumps(found))


def _backends_agree(*architectures):
    found = call_on_each(_numbers, *architectures, timeout=900).values()
    first, *others = (json.loads(each) for each in found)
    for other in others:
        np.testing.assert_allclose(other, first, rtol=2e-4)


@pytest.mark.slow  # tests/backend/test_parity.py has "multiscale-learned"
def test_backends_agree():
    _backends_agree("multiscale-pose", "lab-learned", "lab-pose")
