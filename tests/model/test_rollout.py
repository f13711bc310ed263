"""What each prediction may depend on, and where the gradient flows."""

import numpy as np
import pytest
from checks import TINIEST, call, gradients, installed_backends, make_clip, rounding, to_numpy
from keras import ops

from keras_cvae import CVAE, Rollout
from keras_cvae.images import tensor_to_unit as to_unit
from keras_cvae.model.rollout import free_running, teacher_forced

MAPS = TINIEST["latent_maps"]


@pytest.fixture(params=["lab", "multiscale"])
def model(request):
    return make_model(request.param)


def make_model(architecture, **options):
    # PyTorch's initial weights leave no branch silent.
    options = {"output": "none", "initialisation": "pytorch", **options}
    return CVAE(architecture, **TINIEST, **options)


def clip(model, frames=5, **options):
    batch = make_clip(2, frames, (8, 16), **options)
    shape = (2, frames - 1, *model.latent_shape((8, 16)))
    batch["eps"] = np.random.default_rng(1).standard_normal(shape).astype("float32")
    return batch


def changed_frames(one, other, rounding=1e-7):
    """Which of the T-1 frames of two roll-outs differ."""
    difference = np.abs(to_numpy(one) - to_numpy(other))
    return (difference.max(axis=(0, 2, 3, 4)) > rounding).tolist()


def perturbed(batch, key, t):
    images = batch[key].copy()
    images[:, t] = 255 - images[:, t]
    return {**batch, key: images}


FALSE, TRUE = False, True


@pytest.mark.parametrize("forcing", [True, False], ids=["forced", "free"])
def test_posterior_and_prediction_t_see_pose_t(model, forcing):
    batch = clip(model)
    base = model.rollout(**batch, teacher_forcing=forcing)
    other = model.rollout(**perturbed(batch, "poses", 3), teacher_forcing=forcing)
    for name in ("mu", "logvar"):
        pair = getattr(base, name), getattr(other, name)
        assert changed_frames(*pair) == [FALSE, FALSE, TRUE, FALSE], name
    later = not forcing  # through the fed-back prediction
    assert changed_frames(base.pred, other.pred) == [FALSE, FALSE, TRUE, later]


@pytest.mark.parametrize("forcing", [True, False], ids=["forced", "free"])
def test_posterior_t_sees_frame_t_and_the_prediction_only_through_it(model, forcing):
    batch = clip(model)
    base = model.rollout(**batch, teacher_forcing=forcing)
    other = model.rollout(**perturbed(batch, "frames", 3), teacher_forcing=forcing)
    for name in ("mu", "logvar"):
        pair = getattr(base, name), getattr(other, name)
        assert changed_frames(*pair) == [FALSE, FALSE, TRUE, FALSE], name
    # Prediction 3 by its z, prediction 4 by the frame before it, true or predicted.
    assert changed_frames(base.pred, other.pred) == [FALSE, FALSE, TRUE, TRUE]

    # With a posterior that ignores its input, prediction 3 no longer sees frame 3.
    silence_posterior(model)
    base = model.rollout(**batch, teacher_forcing=forcing)
    other = model.rollout(**perturbed(batch, "frames", 3), teacher_forcing=forcing)
    assert changed_frames(base.pred, other.pred) == [FALSE, FALSE, FALSE, forcing]


def silence_posterior(model):
    networks = model.architecture.posterior_predictor
    last = networks[-1] if isinstance(networks, list) else networks
    for variable in last.blocks[-1].weights:
        variable.assign(np.zeros(variable.shape))


@pytest.mark.parametrize("forcing", [True, False], ids=["forced", "free"])
def test_frame_0_is_given_and_its_pose_is_not_used(model, forcing):
    batch = clip(model)
    base = model.rollout(**batch, teacher_forcing=forcing)
    other = model.rollout(**perturbed(batch, "poses", 0), teacher_forcing=forcing)
    for one, two in zip(base, other, strict=True):
        np.testing.assert_array_equal(to_numpy(one), to_numpy(two))
    other = model.rollout(**perturbed(batch, "frames", 0), teacher_forcing=forcing)
    assert changed_frames(base.mu, other.mu) == [FALSE] * 4
    later = not forcing
    assert changed_frames(base.pred, other.pred)[0]
    assert changed_frames(base.pred, other.pred)[1] == later


def test_noise_t_reaches_prediction_t(model):
    batch = clip(model)
    base = model.rollout(**batch)
    eps = batch["eps"].copy()
    eps[:, 2] += 1
    other = model.rollout(**{**batch, "eps": eps})
    assert changed_frames(base.pred, other.pred) == [FALSE, FALSE, TRUE, TRUE]
    assert changed_frames(base.mu, other.mu) == [FALSE] * 4


def test_forced_and_free_agree_on_the_first_prediction_and_on_nothing_later(model):
    batch = clip(model)
    free, forced = (model.rollout(**batch, teacher_forcing=on) for on in (False, True))
    changed = changed_frames(free.pred, forced.pred, rounding(1e-6))  # JAX sums in another order
    assert changed == [FALSE, TRUE, TRUE, TRUE]
    np.testing.assert_array_equal(to_numpy(free.mu), to_numpy(forced.mu))


def test_clips_of_a_batch_do_not_see_each_other(model):
    one = clip(model)
    both = {key: np.concatenate([value, clip(model, seed=7)[key]]) for key, value in one.items()}
    alone, together = model.rollout(**one), model.rollout(**both)
    for name in Rollout._fields:
        np.testing.assert_allclose(
            to_numpy(getattr(alone, name)), to_numpy(getattr(together, name))[:2], atol=1e-5
        )


def test_noise_is_drawn_where_none_is_given_and_differs_each_time(model):
    batch = clip(model)
    del batch["eps"]
    one, other = model.rollout(**batch), model.rollout(**batch)
    assert changed_frames(one.pred, other.pred) == [TRUE] * 4
    np.testing.assert_array_equal(to_numpy(one.mu), to_numpy(other.mu))


def test_bfloat16_frames_count_as_floats():
    images = ops.cast(np.full((1, 2, 2, 2, 3), 0.5), "bfloat16")
    assert to_numpy(to_unit(images)).dtype == np.float32
    np.testing.assert_allclose(to_numpy(to_unit(images)), 0.5)
    np.testing.assert_allclose(to_numpy(to_unit(np.array([0, 51, 255], np.uint8))), [0, 0.2, 1])
    for wrong in (np.zeros(2, "int32"), np.zeros(2, bool), [0.5]):
        with pytest.raises(ValueError, match="must be uint8"):
            to_unit(wrong)


def test_rollout_refuses_what_is_no_pair_of_clips(model):
    frames = make_clip(1, 3, (8, 16))["frames"]
    for wrong in (
        (frames, frames[:, :2]),
        (frames, frames[:, :, :, :8]),
        (frames[0], frames[0]),
        (frames[:, :1], frames[:, :1]),
        (frames[..., :1], frames[..., :1]),
        (np.moveaxis(frames, -1, 2), np.moveaxis(frames, -1, 2)),
    ):
        with pytest.raises(ValueError, match=r"\(B, T, H, W, 3\) with T >= 2"):
            model.rollout(*wrong)
    with pytest.raises(ValueError, match="eps must be"):
        model.rollout(frames, frames, eps=np.zeros((1, 3, *model.latent_shape((8, 16)))))
    with pytest.raises(ValueError, match="eps must be"):
        model.rollout(frames, frames, eps=np.zeros((1, 2, 1, 1, 1), "float32"))


@pytest.mark.parametrize("stopped", [True, False])
def test_the_gradient_ends_at_the_fed_back_frame_if_asked(stopped):
    """With the fed-back frame as a constant, the gradient is that of teacher forcing with it."""
    model = make_model("lab", stop_feedback_gradient=stopped, initialisation="scaled")
    batch = clip(model, frames=3)

    def loss(frames, forcing):
        return lambda: (ops.mean(rollout(frames, forcing)[:, 1]), ())

    def rollout(frames, forcing):
        # Not model.rollout, which refuses frames outside [0, 1], as these predictions are.
        inputs = {name: ops.convert_to_tensor(x) for name, x in {**batch, "frames": frames}.items()}
        return model._roll_out(inputs, teacher_forced if forcing else free_running)[1].pred

    # Frame 1 gives z_1, which the last prediction sees through the fed-back prediction alone.
    silence_posterior(model)
    frames = to_numpy(to_unit(batch["frames"]))
    constant = frames.copy()
    constant[:, 1] = to_numpy(rollout(frames, False))[:, 0]
    _, grads, _ = gradients(model, loss(frames, False))
    _, expected, _ = gradients(model, loss(constant, True))
    norm, difference = (
        np.sqrt(sum(np.square(g, dtype="float64").sum() for g in arrays))
        for arrays in (expected, [a - b for a, b in zip(grads, expected, strict=True)])
    )
    assert norm > 0
    assert difference < rounding(1e-5) * norm if stopped else difference > 1e-2 * norm


def _passes_agree(backend):
    """Loss and gradients of a free rollout in one pass and in two, from the same weights."""
    for architecture, frames, dtype, largest in (
        ("multiscale", 4, "float32", rounding(1e-5)),
        ("multiscale", 2, "float32", rounding(1e-5)),
        ("multiscale", 4, "mixed_bfloat16", 5e-2),
        ("lab", 3, "float32", rounding(1e-5)),
    ):
        model = make_model(architecture, output="sigmoid", dtype=dtype)
        model.teacher_forcing_ratio.assign(0.0)
        batch = {name: ops.convert_to_tensor(x) for name, x in clip(model, frames).items()}
        found = []
        for two_passes in (False, True):
            model.two_passes = two_passes
            found.append(gradients(model, lambda: model.negative_elbo(batch, training=True)))
        (loss, one, _), (other_loss, two, _) = found
        assert loss == pytest.approx(other_loss, rel=0.1 * largest)
        norm = np.sqrt(sum(np.square(g).sum() for g in one))
        difference = np.sqrt(sum(np.square(a - b).sum() for a, b in zip(one, two, strict=True)))
        assert norm > 0 and difference < largest * norm, (architecture, frames, dtype)


def test_two_passes_are_one():
    _passes_agree("torch")


@pytest.mark.slow
@pytest.mark.parametrize("backend", ["tensorflow", "jax"])
def test_two_passes_are_one_on_other_backends(backend):
    if backend not in installed_backends():
        pytest.skip(f"{backend} is not installed")
    call(_passes_agree, backend, backend=backend, timeout=1200)


def test_where_a_fed_back_frame_changes_there_is_one_pass():
    class Darker(CVAE):
        def feed_back(self, frame):
            return 0.5 * super().feed_back(frame)

    assert make_model("multiscale").two_passes
    assert not make_model("multiscale", stop_feedback_gradient=False).two_passes
    assert not Darker("multiscale", **TINIEST).two_passes


def _train_with_xla(backend):
    """XLA has no gradient of a scan on TensorFlow: there the loop is unrolled."""
    import keras

    losses = []
    for jit_compile in (True, False):
        keras.utils.set_random_seed(0)
        model = make_model("multiscale", seed=0)
        model.compile("sgd", jit_compile=jit_compile)
        model.teacher_forcing_ratio.assign(0.0)
        for _ in range(2):
            model.reset_metrics()
            logs = model.train_on_batch(clip(model, 3), return_dict=True)
        losses.append(logs["loss"])
    np.testing.assert_allclose(*losses, rtol=1e-4)


@pytest.mark.slow
def test_training_with_xla_on_tensorflow():
    if "tensorflow" not in installed_backends():
        pytest.skip("tensorflow is not installed")
    call(_train_with_xla, "tensorflow", backend="tensorflow")
