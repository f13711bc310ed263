"""The model as Keras users meet it: options, presets, fit, evaluate, predict."""

import math

import keras
import numpy as np
import pytest
from checks import TINIEST, make_clip, to_numpy

from keras_cvae import CVAE, Clips, Rollout
from keras_cvae.errors import UserError
from keras_cvae.losses import frame_mse, gaussian_kl
from keras_cvae.metrics import frame_ssim
from keras_cvae.model.presets import MODEL_RECIPES, PRESETS

MAPS = TINIEST["latent_maps"]


def make_model(**options):
    model = CVAE("lab", **{**TINIEST, "seed": 0, **options})
    model.compile(keras.optimizers.Adam(1e-3, global_clipnorm=1.0))
    return model


def last_bias(network):
    return network.blocks[-1].weights[-1]


def statistics(model):
    norm = model.architecture.pose_norm
    return to_numpy(norm.moving_mean), to_numpy(norm.moving_variance)


# --- options -----------------------------------------------------------------------------------


@pytest.mark.parametrize("value", [-50.0, 50.0])
def test_bounded_outputs_stay_in_the_unit_range_and_unbounded_ones_do_not(value):
    batch = make_clip(eps_maps=MAPS)
    for output in ("sigmoid", "clip", "none"):
        model = make_model(output=output)
        last_bias(model.architecture.generator).assign(np.full(3, value))
        stream = model.stream_video(batch["frames"][:, 0], batch["poses"])
        video = np.stack(list(stream), axis=1)
        pred = to_numpy(model.rollout(**batch).pred)
        for images in (video, pred):
            assert ((images >= 0) & (images <= 1)).all() == (output != "none")
            assert images.dtype == np.float32


def test_clip_leaves_values_inside_the_range_as_they_are_and_sigmoid_squashes_them():
    batch = make_clip(frames=2, eps_maps=MAPS)
    weights = make_model(output="none")
    last_bias(weights.architecture.generator).assign(np.full(3, 0.5))
    raw = to_numpy(weights.rollout(**batch).pred)
    for output, expected in (("clip", np.clip(raw, 0, 1)), ("sigmoid", 1 / (1 + np.exp(-raw)))):
        model = make_model(output=output)
        model.set_weights(weights.get_weights())
        np.testing.assert_allclose(to_numpy(model.rollout(**batch).pred), expected, atol=1e-6)


def test_the_bound_of_logvar_keeps_training_with_beta_0_finite():
    batch = make_clip(eps_maps=MAPS)
    for bound, finite in ((6.0, True), (None, False)):
        model = make_model(logvar_bound=bound)
        bias = np.repeat([0.0, 200.0], MAPS)  # of mu and of logvar
        last_bias(model.architecture.posterior_predictor).assign(bias)
        model.beta.assign(0.0)
        logvar = to_numpy(model.rollout(**batch).logvar)
        assert (np.abs(logvar).max() <= 6.0) == finite
        logs = model.train_on_batch(batch, return_dict=True)
        assert all(math.isfinite(logs[name]) for name in ("loss", "mse", "kl")) == finite
        if finite:
            assert all(np.isfinite(v).all() for v in model.get_weights())


@pytest.mark.parametrize("reduction", ["sum", "mean"])
def test_the_loss_is_mse_plus_beta_times_the_reduced_kl(reduction):
    batch = make_clip(eps_maps=MAPS)
    model = make_model(kl_reduction=reduction, initialisation="pytorch")
    model.beta.assign(0.25)
    rollout = model.rollout(**batch)
    mse = to_numpy(frame_mse(batch["frames"][:, 1:] / 255.0, rollout.pred))
    kl = to_numpy(gaussian_kl(rollout.mu, rollout.logvar, reduction))
    logs = model.test_on_batch(batch, return_dict=True)
    assert mse.shape == kl.shape == (2, 3)
    assert logs["mse"] == pytest.approx(mse.mean(), rel=1e-5)
    assert logs["kl"] == pytest.approx(kl.mean(), rel=1e-5)
    assert logs["loss"] == pytest.approx((mse + 0.25 * kl).mean(), rel=1e-5)
    elements = 8 * 12 * MAPS
    total = to_numpy(gaussian_kl(rollout.mu, rollout.logvar, "sum"))
    assert kl == pytest.approx(total if reduction == "sum" else total / elements, rel=1e-4)


def test_the_loss_has_the_weighted_dissimilarity_too():
    batch = make_clip(size=(16, 24), eps_maps=MAPS)
    model = make_model(ssim_weight=0.5)
    pred = to_numpy(model.rollout(**batch).pred)
    logs = model.test_on_batch(batch, return_dict=True)
    truth = batch["frames"][:, 1:].reshape(-1, 16, 24, 3)
    unlike = 1 - frame_ssim(truth, pred.reshape(-1, 16, 24, 3)).mean()
    rest = logs["mse"] + logs["kl"]  # beta is 1
    assert unlike > 0.1
    assert logs["loss"] == pytest.approx(rest + 0.5 * unlike, rel=1e-5)


def test_small_frames_have_no_dissimilarity():
    with pytest.raises(
        UserError, match=r"at least 11 x 11 pixels; got 8 x 12\. Set ssim_weight to 0"
    ):
        make_model(ssim_weight=0.5).test_on_batch(make_clip(eps_maps=MAPS))


def test_neither_batch_size_nor_clip_length_changes_the_scale_of_the_loss():
    model = make_model(kl_reduction="sum")
    batch = make_clip(frames=2, eps_maps=MAPS)
    twice = {key: np.concatenate([value, value]) for key, value in batch.items()}
    one, other = (model.test_on_batch(b, return_dict=True) for b in (batch, twice))
    for name in ("loss", "mse", "kl"):
        assert one[name] == pytest.approx(other[name], rel=1e-5)


@pytest.mark.parametrize(
    "wrong",
    [
        {"architecture": "unet"},
        {"output": None},
        {"output": "tanh"},
        {"kl_reduction": "none"},
        {"logvar_bound": 0},
        {"logvar_bound": -1.0},
        {"logvar_bound": math.nan},
        {"logvar_bound": math.inf},
        {"temperature": -0.1},
        {"temperature": math.nan},
        {"temperature": math.inf},
        {"ssim_weight": -0.1},
        {"ssim_weight": math.nan},
        {"initialisation": "zeros"},
    ],
    ids=str,
)
def test_wrong_options_are_errors(wrong):
    with pytest.raises(ValueError, match=f"{next(iter(wrong))}.*(got|expected)"):
        CVAE(**{"architecture": "lab", **TINIEST, **wrong})


def test_a_configuration_makes_the_same_model_again():
    options = {
        "output": "clip",
        "stop_feedback_gradient": False,
        "kl_reduction": "sum",
        "logvar_bound": None,
        "temperature": 0.5,
        "ssim_weight": 0.25,
        "initialisation": "pytorch",
        "seed": 4,
        "name": "mine",
    }
    model = CVAE("lab", **TINIEST, **options)
    config = model.get_config()
    assert config.items() >= {"architecture": "lab", **TINIEST, **options}.items()
    again = CVAE.from_config(config)
    again.set_weights(model.get_weights())
    batch = make_clip(eps_maps=MAPS)
    for one, other in zip(model.rollout(**batch), again.rollout(**batch), strict=True):
        np.testing.assert_array_equal(to_numpy(one), to_numpy(other))


# --- presets -----------------------------------------------------------------------------------


@pytest.mark.parametrize("recipe", MODEL_RECIPES)
@pytest.mark.parametrize("preset", PRESETS)
def test_presets_fix_the_widths_and_recipes_all_the_rest(preset, recipe):
    config = CVAE.from_preset(preset, recipe=recipe).get_config()
    assert config.items() >= PRESETS[preset].items()
    assert config.items() >= MODEL_RECIPES[recipe].items()
    given = PRESETS[preset].keys() | MODEL_RECIPES[recipe].keys() | {"name", "trainable", "dtype"}
    assert config.keys() - given == {"frame_size", "poses", "rematerialise", "seed"}


def test_the_published_recipe_is_the_published_model():
    config = CVAE.from_preset("lab", "published").get_config()
    assert (
        config.items()
        >= {
            "frame_features": 128,
            "pose_features": 32,
            "latent_maps": 12,
            "decoder_features": 192,
            "output": "none",
            "stop_feedback_gradient": False,
            "kl_reduction": "sum",
            "logvar_bound": None,
            "temperature": 1.0,
        }.items()
    )


def test_overrides_replace_and_unknown_names_are_errors():
    assert CVAE.from_preset("lab_small", temperature=0.7, seed=1).temperature == 0.7
    with pytest.raises(ValueError, match="Unknown preset 'big'; expected one of"):
        CVAE.from_preset("big")
    with pytest.raises(ValueError, match="Unknown recipe 'mine'; expected one of"):
        CVAE.from_preset("lab", recipe="mine")


# --- fit, evaluate, predict --------------------------------------------------------------------


@pytest.mark.parametrize("architecture", ["lab", "multiscale"])
def test_fit_with_plain_arrays_learns(architecture):
    model = CVAE(architecture, **TINIEST, seed=0)
    model.compile(keras.optimizers.Adam(1e-2))
    frames = np.zeros((4, 3, 8, 16, 3), "float32")
    frames[..., :8, 0] = 0.8
    inputs = {"frames": frames, "poses": frames}
    history = model.fit(inputs, batch_size=2, epochs=15, verbose=0, validation_data=(inputs,))
    assert set(history.history) >= {"loss", "mse", "kl", "val_loss", "val_mse", "val_kl"}
    assert history.history["val_mse"][-1] < 0.85 * history.history["val_mse"][0]


def test_fit_with_clips_takes_uint8_and_floats_alike():
    videos = make_clip(1, 12)
    losses = []
    for scale in (1, 1 / 255):
        arrays = [videos[key][0] if scale == 1 else videos[key][0] * scale for key in videos]
        clips = Clips(tuple(arrays), clip_length=3, batch_size=2)
        keras.utils.set_random_seed(0)
        model = make_model()
        losses.append(model.fit(clips, epochs=2, verbose=0).history["loss"])
    assert losses[0] == pytest.approx(losses[1], rel=1e-4)


def test_predict_returns_a_rollout_of_all_clips():
    model = make_model()
    batch = make_clip(clips=5, eps_maps=MAPS)
    result = model.predict(batch, batch_size=2, verbose=0)
    assert isinstance(result, Rollout)
    expected = model.rollout(**batch)
    for name in Rollout._fields:
        ours = getattr(result, name)
        assert isinstance(ours, np.ndarray)
        np.testing.assert_allclose(ours, to_numpy(getattr(expected, name)), atol=1e-5)


def test_calling_the_model_is_the_free_rollout_whatever_the_ratio():
    model = make_model()
    batch = make_clip(eps_maps=MAPS)
    free, forced = (to_numpy(model.rollout(**batch, teacher_forcing=on).pred) for on in (0, 1))
    assert np.abs(free - forced).max() > 1e-4
    for ratio in (1.0, 0.0):
        model.teacher_forcing_ratio.assign(ratio)
        np.testing.assert_allclose(to_numpy(model(batch).pred), free, atol=1e-6)
        logs = model.test_on_batch(batch, return_dict=True)
        mse = np.mean((free - batch["frames"][:, 1:] / 255.0) ** 2)
        assert logs["mse"] == pytest.approx(mse, rel=1e-4)


def test_evaluate_weighs_batches_by_their_size():
    model = make_model()
    batch = make_clip(clips=5, eps_maps=MAPS)
    whole = model.evaluate(batch, batch_size=5, verbose=0, return_dict=True)
    parts = model.evaluate(batch, batch_size=2, verbose=0, return_dict=True)
    assert set(whole) == {"loss", "mse", "kl"}
    for name in whole:
        assert parts[name] == pytest.approx(whole[name], rel=1e-5)


def test_only_training_moves_the_statistics_of_the_norm_and_uses_those_of_the_batch():
    model = make_model()
    batch = make_clip(eps_maps=MAPS)
    before = statistics(model)
    logs = model.test_on_batch(batch, return_dict=True)
    model.predict_on_batch(batch)
    model.predict_video(batch["frames"][:, 0], batch["poses"])
    for old, new in zip(before, statistics(model), strict=True):
        np.testing.assert_array_equal(old, new)

    # Inference uses the moving statistics; training those of the batch.
    norm = model.architecture.pose_norm
    model.teacher_forcing_ratio.assign(0.0)
    optimizer = keras.optimizers.SGD(0.0)
    model.compile(optimizer)
    trained = model.train_on_batch(batch, return_dict=True)
    for old, new in zip(before, statistics(model), strict=True):
        assert np.abs(old - new).max() > 1e-3
    norm.moving_variance.assign(100 * np.ones(norm.moving_variance.shape))
    changed = model.test_on_batch(batch, return_dict=True)
    assert abs(changed["kl"] - logs["kl"]) > 1e-6
    model.reset_metrics()
    again = model.train_on_batch(batch, return_dict=True)
    assert again["loss"] == pytest.approx(trained["loss"], rel=1e-5)


def test_one_epoch_reports_the_mean_of_that_epoch_alone():
    model = make_model()
    model.compile(keras.optimizers.SGD(0.0))
    batch = make_clip(clips=4, eps_maps=MAPS)
    history = model.fit(batch, batch_size=2, epochs=2, verbose=0, shuffle=False).history
    # beta 0 in the second epoch would not show if the tracker went on from the first.
    model.beta.assign(0.0)
    other = model.fit(batch, batch_size=2, epochs=1, verbose=0, shuffle=False).history
    assert history["mse"][0] == pytest.approx(history["mse"][1], rel=1e-5)
    assert other["loss"][0] == pytest.approx(other["mse"][0], rel=1e-6)
    assert other["kl"][0] > 0


def test_compiling_again_keeps_the_state_of_the_optimiser():
    model = make_model()
    optimizer = keras.optimizers.LossScaleOptimizer(keras.optimizers.Adam(1e-3), initial_scale=8.0)
    model.compile(optimizer)
    before = len(optimizer.variables)
    optimizer.dynamic_scale.assign(2.0)
    model.compile(optimizer)
    assert len(optimizer.variables) == before
    assert float(optimizer.dynamic_scale) == 2.0


def test_targets_sample_weights_losses_and_metrics_are_refused():
    model = make_model()
    batch = make_clip()
    for call in (model.fit, model.evaluate):
        with pytest.raises(ValueError, match="without targets or sample weights"):
            call(batch, batch["frames"], verbose=0)
    with pytest.raises(ValueError, match="its own loss"):
        model.compile("adam", loss="mse")
    with pytest.raises(ValueError, match="its own loss"):
        model.compile("adam", metrics=["mae"])


@pytest.mark.parametrize(
    "change",
    [
        lambda b: {**b, "poses": b["poses"][:, :2]},
        lambda b: {**b, "poses": b["poses"][:, :, :, :4]},
        lambda b: {k: v[:, :1] for k, v in b.items()},
        lambda b: {k: v[..., 0] for k, v in b.items()},
        lambda b: {k: np.moveaxis(v, -1, 2) for k, v in b.items()},
        lambda b: {k: v.astype("int32") for k, v in b.items()},
        lambda b: {**b, "eps": np.zeros((2, 3, 8, 12, MAPS + 1), "float32")},
    ],
    ids=["lengths", "sizes", "one-frame", "grey", "channels-first", "int32", "eps"],
)
def test_batches_that_do_not_fit_are_errors_in_training_too(change):
    model = make_model()
    batch = change(make_clip())
    for call in (model.train_on_batch, model.test_on_batch, model.predict_on_batch):
        with pytest.raises(ValueError, match="must"):
            call(batch)
