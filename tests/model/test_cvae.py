import keras
import numpy as np
import pytest
from checks import TINIEST, make_clip, to_numpy
from keras import ops

from keras_cvae import CVAE, Clips, Rollout
from keras_cvae.model import presets


def lab(**options):
    return CVAE("lab", **TINIEST, **{"seed": 0, **options})


def noise(model, batch, seed=0):
    clips, frames, height, width, _ = batch["frames"].shape
    shape = (clips, frames - 1, *model.latent_shape((height, width)))
    return np.random.default_rng(seed).standard_normal(shape).astype("float32")


def test_parameters_of_the_published_widths():
    networks = CVAE.from_preset("lab").architecture

    def trainable(*layers):
        return sum(int(np.prod(v.shape)) for layer in layers for v in layer.trainable_variables)

    pose = (networks.pose_conv, networks.pose_norm, networks.pose_residual)
    assert trainable(networks.frame_encoder) == 193_568
    assert trainable(*pose) == 16_832
    assert trainable(networks.posterior_predictor) == 8_289
    assert trainable(networks.decoder_fusion) == 617_768
    assert trainable(networks.generator) == 749_163
    assert trainable(networks) == 1_585_620


@pytest.mark.parametrize("preset", presets.PRESETS)
@pytest.mark.parametrize("recipe", presets.MODEL_RECIPES)
def test_presets_and_recipes(preset, recipe):
    model = CVAE.from_preset(preset, recipe, temperature=0.25)
    config = model.get_config()
    expected = {**presets.PRESETS[preset], **presets.MODEL_RECIPES[recipe], "temperature": 0.25}
    assert {key: config[key] for key in expected} == expected


# --- which input reaches which output --------------------------------------------------------


def changed_frames(base, other):
    return (np.abs(to_numpy(base) - to_numpy(other)).max(axis=(0, 2, 3, 4)) > 1e-7).tolist()


@pytest.mark.parametrize("forcing", (True, False))
def test_frame_t_reaches_its_own_posterior_and_no_earlier_prediction(forcing):
    model, batch = lab(), make_clip(frames=6)
    eps = noise(model, batch)
    base = model.rollout(**batch, eps=eps, teacher_forcing=forcing)
    frames = batch["frames"].copy()
    frames[:, 3] = 255 - frames[:, 3]
    other = model.rollout(frames, batch["poses"], eps, forcing)
    assert changed_frames(base.mu, other.mu) == [False, False, True, False, False]
    # With teacher forcing frame 3 is also the previous frame of frame 4, and of no later one.
    expected = [False, False, True, True, not forcing]
    assert changed_frames(base.pred, other.pred) == expected


def test_the_first_prediction_sees_the_given_frame_in_both_cases():
    model, batch = lab(), make_clip(frames=3)
    eps = noise(model, batch)
    free, forced = (model.rollout(**batch, eps=eps, teacher_forcing=f) for f in (False, True))
    assert changed_frames(free.pred, forced.pred) == [False, True]


def test_pose_t_belongs_to_frame_t_and_pose_0_to_none():
    model, batch = lab(), make_clip(frames=5)
    eps = noise(model, batch)
    base = model.rollout(**batch, eps=eps, teacher_forcing=True)
    for t, expected in ((0, [False] * 4), (2, [False, True, False, False])):
        poses = batch["poses"].copy()
        poses[:, t] = 255 - poses[:, t]
        other = model.rollout(batch["frames"], poses, eps, True)
        assert changed_frames(base.pred, other.pred) == expected
        assert changed_frames(base.mu, other.mu) == expected


# --- options ---------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("output", "bounded"), (("sigmoid", True), ("clip", True), ("none", False))
)
def test_output_bounds(output, bounded):
    model, batch = lab(output=output), make_clip(frames=3)
    # Far out of range, whatever the input.
    bias = model.architecture.generator.blocks[-1].conv[1]
    bias.assign([30.0, -30.0, 0.0])
    pred = to_numpy(model.rollout(**batch).pred)
    assert (pred.min() >= 0 and pred.max() <= 1) == bounded


@pytest.mark.parametrize("stop", (True, False))
def test_the_gradient_ends_at_the_fed_back_frame_or_does_not(stop):
    import torch

    model, batch = lab(stop_feedback_gradient=stop, seed=0), make_clip(frames=3)
    bias = model.architecture.generator.blocks[-1].conv[1].value
    rollout = model.rollout(**batch, eps=noise(model, batch))
    # d pred_2 / d bias has a part through pred_1 unless the gradient is stopped there.
    (whole,) = torch.autograd.grad(rollout.pred[:, 1].sum(), bias)
    eps = noise(model, batch)
    with torch.no_grad():
        fed_back = model.rollout(**batch, eps=eps).pred[:, 0]
    frames = ops.stack([ops.cast(fed_back, "float32")] * 3, axis=1)
    direct_rollout = model.rollout(frames, batch["poses"] / np.float32(255), eps, True)
    assert direct_rollout.pred.shape == rollout.pred.shape
    one_step = model._predictor.model
    z = rollout.mu[:, 1] + ops.exp(rollout.logvar[:, 1] / 2) * torch.from_numpy(eps[:, 1])
    pose = torch.from_numpy(batch["poses"][:, 2] / np.float32(255))
    again = one_step({"previous_frame": fed_back, "pose": pose, "z": z.detach()})
    (direct,) = torch.autograd.grad(again.sum(), bias)
    same = np.allclose(to_numpy(whole), to_numpy(direct), rtol=1e-4)
    assert same == stop


def test_kl_reduction_and_beta_in_the_loss():
    batch = make_clip(frames=3)
    results = {}
    for reduction in ("sum", "mean"):
        keras.utils.set_random_seed(0)
        model = lab(kl_reduction=reduction)
        batch["eps"] = noise(model, batch)
        for beta in (0.0, 2.0):
            model.beta.assign(beta)
            loss, terms = model.negative_elbo(batch, training=False)
            mse, kl = to_numpy(terms["mse"]), to_numpy(terms["kl"])
            assert to_numpy(loss) == pytest.approx(mse + beta * kl, rel=1e-6)
            results[reduction] = kl
    latent_elements = np.prod(lab().latent_shape((8, 12)))
    assert results["sum"] == pytest.approx(results["mean"] * latent_elements, rel=1e-4)


def test_a_bounded_logvar_stays_finite_where_beta_is_zero():
    batch = make_clip(frames=3)
    for bound, finite in ((4.0, True), (None, False)):
        model = lab(logvar_bound=bound)
        model.beta.assign(0.0)
        model.architecture.posterior_predictor.blocks[-1].conv[1].assign([0.0] * 4 + [200.0] * 4)
        loss, _ = model.negative_elbo(batch, training=False)
        assert np.isfinite(to_numpy(loss)) == finite


# --- the coin --------------------------------------------------------------------------------


@pytest.mark.parametrize(("ratio", "low", "high"), ((1.0, 40, 40), (0.0, 0, 0), (0.5, 10, 30)))
def test_one_coin_per_batch(monkeypatch, ratio, low, high):
    from keras_cvae.model import cvae

    model, forced = lab(), []
    model.teacher_forcing_ratio.assign(ratio)
    monkeypatch.setattr(
        cvae, "teacher_forced", lambda decode, features, *rest: forced.append(1) or features
    )
    monkeypatch.setattr(cvae, "free_running", lambda decode, encode, first, *rest: first)
    monkeypatch.setattr(cvae, "frame_mse", lambda truth, prediction: ops.zeros((2, 2)))
    for _ in range(40):
        model.negative_elbo(make_clip(frames=3), training=True)
    assert low <= len(forced) <= high


def test_evaluation_tosses_no_coin_and_is_free_running():
    model, batch = lab(), make_clip(frames=3)
    batch["eps"] = noise(model, batch)
    model.compile("adam")
    losses = set()
    for ratio in (0.0, 1.0):
        model.teacher_forcing_ratio.assign(ratio)
        losses.add(model.evaluate(batch, verbose=0, return_dict=True)["loss"])
    assert len(losses) == 1


# --- the norm of the pose encoder ------------------------------------------------------------


def test_statistics_move_as_far_as_frame_by_frame_and_only_in_training():
    model, batch = lab(), make_clip(frames=4)
    norm = model.architecture.pose_norm
    model.compile("adam")
    model.predict(batch, verbose=0)
    model.evaluate(batch, verbose=0)
    model.predict_video(batch["frames"][:, 0], batch["poses"])
    assert to_numpy(norm.moving_mean).tolist() == [0.0] * norm.moving_mean.shape[0]
    poses = batch["poses"][:, 1:].reshape(-1, 8, 12, 3) / np.float32(255)
    padded = np.pad(poses, ((0, 0), (3, 3), (3, 3), (0, 0)), mode="reflect")
    mean = to_numpy(model.architecture.pose_conv(padded)).mean(axis=(0, 1, 2))
    model.train_on_batch(batch)
    assert to_numpy(norm.moving_mean) == pytest.approx((1 - 0.9**3) * mean, rel=1e-4)
    assert norm.momentum == 0.9


# --- as a Keras model ------------------------------------------------------------------------


def test_fit_evaluate_and_predict_on_arrays_and_clips():
    model, batch = lab(), make_clip(clips=4, frames=3)
    model.compile(keras.optimizers.Adam(1e-3))
    history = model.fit(batch, batch_size=2, epochs=2, verbose=0).history
    assert set(history) == {"loss", "mse", "kl"}
    assert len(history["loss"]) == 2
    video = np.concatenate(list(batch["frames"]))
    model.fit(Clips((video, video), clip_length=3, batch_size=2), epochs=1, verbose=0)
    result = model.evaluate(batch, verbose=0, return_dict=True)
    assert result["loss"] == pytest.approx(result["mse"] + result["kl"], rel=1e-4)
    prediction = model.predict(batch, verbose=0)
    assert isinstance(prediction, Rollout)
    assert prediction.pred.shape == (4, 2, 8, 12, 3)


def test_uint8_and_floats_are_the_same_images():
    model, batch = lab(), make_clip(frames=3)
    batch["eps"] = noise(model, batch)
    floats = {**batch, "frames": batch["frames"] / 255.0, "poses": batch["poses"] / 255.0}
    losses = [to_numpy(model.negative_elbo(b, training=False)[0]) for b in (batch, floats)]
    assert losses[0] == pytest.approx(losses[1], rel=1e-5)


def test_mixed_precision_trains_with_losses_in_float32():
    batch = make_clip(frames=3)
    losses = []
    for dtype in ("float32", "mixed_bfloat16"):
        keras.utils.set_random_seed(0)
        model = lab(dtype=dtype)
        batch["eps"] = noise(model, batch)
        model.compile(keras.optimizers.Adam(1e-3))
        losses.append(model.train_on_batch(batch, return_dict=True)["loss"])
        assert all(v.dtype == "float32" for v in model.trainable_variables)
        assert to_numpy(model.rollout(**batch).pred).dtype == np.float32
    assert losses[0] == pytest.approx(losses[1], rel=0.05)


def test_what_the_optimiser_offers_is_kept():
    batch = make_clip(frames=3)

    def moved(**options):
        keras.utils.set_random_seed(0)
        model = lab()
        batch["eps"] = noise(model, batch)
        model.compile(keras.optimizers.SGD(1.0, **options))
        before = [to_numpy(v).copy() for v in model.trainable_variables]
        model.train_on_batch(batch)
        pairs = zip(model.trainable_variables, before, strict=True)
        return model, np.sqrt(sum(np.square(to_numpy(v) - b).sum() for v, b in pairs))

    assert moved()[1] > 1e-2
    assert moved(global_clipnorm=1e-3)[1] == pytest.approx(1e-3, rel=1e-3)
    assert moved(gradient_accumulation_steps=2)[1] == 0
    assert moved(use_ema=True)[0].optimizer._model_variables_moving_average


@pytest.mark.parametrize(
    ("action", "match"),
    (
        (lambda: CVAE("unet"), "Unknown architecture"),
        (lambda: lab(output="tanh"), "Unknown output"),
        (lambda: lab(kl_reduction="max"), "Unknown kl_reduction"),
        (lambda: lab(logvar_bound=0), "logvar_bound"),
        (lambda: lab(temperature=-1), "temperature"),
        (lambda: lab(initialisation="zeros"), "Unknown initialisation"),
        (lambda: CVAE("lab", **{**TINIEST, "frame_features": 4}), "frame_features"),
        (lambda: CVAE("lab", **{**TINIEST, "latent_maps": 3}), "latent_maps"),
        (lambda: CVAE.from_preset("huge"), "Unknown preset"),
        (lambda: CVAE.from_preset("lab", "secret"), "Unknown recipe"),
        (lambda: lab().compile(loss="mse"), "its own loss"),
        (lambda: lab().compile(metrics=["mae"]), "its own loss"),
        (lambda: lab().rollout(*[np.zeros((2, 1, 8, 12, 3), np.uint8)] * 2), "T >= 2"),
        (lambda: lab().rollout(*[np.zeros((2, 3, 8, 12, 3), np.int32)] * 2), "must be uint8"),
        (lambda: lab().rollout(*[np.zeros((2, 3, 3, 12, 3), np.uint8)] * 2), "at least 4 x 4"),
    ),
)
def test_what_cannot_be_is_an_error(action, match):
    with pytest.raises(ValueError, match=match):
        action()


def test_targets_are_refused():
    model, batch = lab(), make_clip(frames=3)
    model.compile("adam")
    with pytest.raises(ValueError, match="without targets"):
        model.fit(batch, batch["frames"], verbose=0)
