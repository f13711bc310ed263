"""What the latent tells, on models whose posterior is known."""

import keras
import numpy as np
import pytest
from checks import TINIEST, make_clip, to_numpy

from keras_cvae import CVAE
from keras_cvae.data import Video
from keras_cvae.evaluation.latent_use import latent_use
from keras_cvae.metrics import frame_psnr


@pytest.fixture
def model():
    keras.utils.set_random_seed(0)
    return CVAE("multiscale", **TINIEST, initialisation="pytorch", seed=0)


@pytest.fixture
def videos():
    clips = make_clip(2, 6, (16, 24))
    return [Video(str(i), clips["frames"][i], clips["poses"][i]) for i in range(2)]


def last_bias(model):
    return model.architecture.posterior_predictor[-1].blocks[-1].conv[1]


def test_a_posterior_that_is_the_prior_says_nothing(model, videos):
    for weight in model.architecture.posterior_predictor[-1].blocks[-1].weights:
        weight.assign(np.zeros(weight.shape))
    use = latent_use(model, videos)
    assert use["kl_nats"] == 0 and (use["active_maps"], use["latent_maps"]) == (0, 4)
    # With z = 0 the roll-out is the prediction at temperature 0.
    expected = [
        frame_psnr(v.frames[1:], model.predict_video(v.frames[0], v.poses)[1:]) for v in videos
    ]
    assert use["posterior_psnr"] == pytest.approx(np.mean(expected), abs=1e-4)


def test_a_constant_posterior_has_kl_but_no_active_map(model, videos):
    last = model.architecture.posterior_predictor[-1].blocks[-1].weights
    for weight in last:
        weight.assign(np.zeros(weight.shape))
    last_bias(model).assign([1.0, 1.0, 0, 0, 0, 0, 0, 0])  # two maps of mu, then logvar
    use = latent_use(model, videos)
    assert use["kl_nats"] == pytest.approx(2 * 0.5 * 2 * 3)  # nats at the 2 x 3 places
    assert use["active_maps"] == 0


def test_a_map_that_follows_the_frames_is_active(model, videos):
    kernel = model.architecture.posterior_predictor[-1].blocks[-1].conv[0]
    values = to_numpy(kernel).copy()
    values[:, 1:4] = 0  # of the means, only the first sees its input
    values[:, 0] *= 10
    kernel.assign(values)
    assert latent_use(model, videos)["active_maps"] == 1


def test_what_the_prior_says_too_is_not_active():
    """A posterior that is the prior, on a still video: its means vary with the pose alone."""
    keras.utils.set_random_seed(0)
    model = CVAE("lab", **TINIEST, initialisation="pytorch", prior="learned", seed=0)
    networks = model.architecture
    networks.prior_predictor.set_weights(networks.posterior_predictor.get_weights())
    for kernel in (networks.posterior_predictor, networks.prior_predictor):
        last = kernel.blocks[-1].conv[0]
        last.assign(20 * last)
    clips = make_clip(1, 6, (16, 24))
    still = Video("still", np.repeat(clips["frames"][0, :1], 6, axis=0), clips["poses"][0])
    mu, _ = model.infer_latents(still.frames, still.poses)
    assert mu.reshape(-1, 4).var(axis=0).max() > 0.01
    use = latent_use(model, [still])
    assert use["kl_nats"] == pytest.approx(0, abs=1e-4) and use["active_maps"] == 0


@pytest.mark.parametrize("architecture", ["lab", "multiscale"])
def test_latents_are_those_of_the_roll_out(architecture):
    model = CVAE(architecture, **TINIEST, initialisation="pytorch", seed=0)
    clip = make_clip(1, 5, (16, 24))
    expected = model.rollout(clip["frames"], clip["poses"])
    inferred = model.infer_latents(clip["frames"][0], clip["poses"][0])
    for name, value in zip(("mu", "logvar"), inferred, strict=True):
        np.testing.assert_allclose(value, to_numpy(getattr(expected, name))[0], atol=1e-5)
    video = model.predict_video(clip["frames"][0, 0], clip["poses"][0], z=inferred[0])
    silent = np.zeros((1, 4, *model.latent_shape((16, 24))), "float32")
    by_mean = model.rollout(clip["frames"], clip["poses"], eps=silent)
    np.testing.assert_allclose(video[1:], to_numpy(by_mean.pred)[0], atol=1e-5)


def test_latents_of_another_shape_are_an_error(model, videos):
    with pytest.raises(ValueError, match=r"z must be \(1, 5, 2, 3, 4\) for these poses; got"):
        model.predict_video(videos[0].frames[0], videos[0].poses, z=np.zeros((6, 2, 3, 4)))
    with pytest.raises(ValueError, match="frames and poses must both be"):
        model.infer_latents(videos[0].frames, videos[0].poses[:2])
