import numpy as np
import pytest
from checks import TINIEST, to_numpy
from keras import ops

from keras_cvae.architectures import ARCHITECTURES
from keras_cvae.errors import UserError


def make(kind="multiscale", **options):
    architecture = ARCHITECTURES[kind](*TINIEST.values(), **options)
    architecture.build()
    return architecture


def inputs(architecture):
    rng = np.random.default_rng(0)
    frame, pose = rng.random((2, 1, 8, 16, 3), "float32")
    z = rng.standard_normal((1, *architecture.latent_shape((8, 16)))).astype("float32")
    pose = architecture.encode_poses(pose[:, None])[:, 0]
    return frame, pose, z * 50


@pytest.mark.parametrize("kind", ARCHITECTURES)
@pytest.mark.parametrize("output", ["none", "sigmoid", "clip"])
def test_the_step_is_the_decoder_with_the_bound(kind, output):
    architecture = make(kind, initialisation="pytorch", output=output)
    for variable in architecture.trainable_variables:
        variable.assign(variable * 4)
    frame, pose, z = inputs(architecture)
    raw = to_numpy(architecture.decode(architecture.encode_frames(frame), pose, z))
    with np.errstate(over="ignore"):
        expected = {"none": raw, "sigmoid": 1 / (1 + np.exp(-raw)), "clip": raw.clip(0, 1)}[output]
    np.testing.assert_allclose(to_numpy(architecture.step(frame, pose, z)), expected, atol=1e-6)


def test_the_posterior_is_bounded():
    architecture = make(logvar_bound=0.5)
    for variable in architecture.trainable_variables:
        variable.assign(variable * 9)
    frame, pose, _ = inputs(architecture)
    features = architecture.encode_frames(frame)
    _, raw = map(to_numpy, architecture.posterior(features, pose))
    _, bounded = map(to_numpy, architecture.infer(features, pose))
    np.testing.assert_allclose(bounded, 0.5 * np.tanh(raw / 0.5), atol=1e-6)


@pytest.mark.parametrize("kind", ARCHITECTURES)
@pytest.mark.parametrize("prior", ["pose", "learned"])
def test_the_prior_is_bounded_and_sees_what_it_is_said_to(kind, prior):
    architecture = make(kind, initialisation="pytorch", logvar_bound=0.5, prior=prior)
    networks = architecture.prior_predictor
    for variable in (networks[-1] if isinstance(networks, list) else networks).trainable_variables:
        variable.assign(variable * 2)
    frame, pose, _ = inputs(architecture)

    def expect(frame, pose):
        previous = architecture.encode_frames(frame)
        return [to_numpy(each) for each in architecture.expect(previous, pose)]

    mu, logvar = expect(frame, pose)
    assert mu.shape == logvar.shape == (1, *architecture.latent_shape((8, 16)))
    assert mu.dtype == logvar.dtype == np.float32
    assert 0 < np.abs(logvar).max() <= 0.5
    for of_frame, of_pose in ((1, 0), (0, 1)):
        other = expect(frame + 0.5 * of_frame, pose + 0.5 * of_pose)
        assert (not np.array_equal(mu, other[0])) == bool(of_pose or prior == "learned")


@pytest.mark.parametrize("kind", ARCHITECTURES)
def test_the_standard_prior_has_no_network(kind):
    standard, learned = make(kind), make(kind, prior="learned")
    frame, pose, _ = inputs(standard)
    assert standard.expect(standard.encode_frames(frame), pose) is None
    assert learned.count_params() > standard.count_params()
    # Its weights come last: those of files are found, and initial weights are the same.
    shapes = [[each.shape for each in made.variables] for made in (standard, learned)]
    assert shapes[1][: len(shapes[0])] == shapes[0]


@pytest.mark.parametrize("kind", ARCHITECTURES)
@pytest.mark.parametrize("prior", ["standard", "pose", "learned"])
def test_the_sampled_step_has_z_of_the_prior(kind, prior):
    architecture = make(kind, initialisation="pytorch", prior=prior)
    frame, pose, noise = inputs(architecture)
    noise = noise / 50
    z = noise
    if prior != "standard":
        mu, logvar = map(to_numpy, architecture.expect(architecture.encode_frames(frame), pose))
        z = mu + np.exp(logvar / 2) * noise
    noise, z = (ops.convert_to_tensor(each) for each in (noise, z))
    sampled, given = (
        architecture.sampled_step(frame, pose, noise),
        architecture.step(frame, pose, z),
    )
    np.testing.assert_allclose(to_numpy(sampled), to_numpy(given), atol=1e-6)


@pytest.mark.parametrize(
    ("kind", "size", "expected"),
    [
        ("lab", (3, 20), "at least 4 x 4"),
        ("multiscale", (8, 12), "multiples of 8"),
        ("multiscale", (0, 8), "multiples of 8"),
    ],
)
def test_sizes_are_checked_where_the_latent_shape_is_asked_for(kind, size, expected):
    with pytest.raises(UserError, match=expected):
        make(kind).latent_shape(size)


def test_the_size_of_z():
    assert make("lab").latent_shape((8, 12)) == (8, 12, TINIEST["latent_maps"])
    assert make("multiscale").latent_shape((8, 16)) == (1, 2, TINIEST["latent_maps"])


@pytest.mark.parametrize(("kind", "width"), [("lab", 7), ("multiscale", 0), ("lab", 8.0)])
def test_widths_that_vanish_are_refused(kind, width):
    with pytest.raises(
        UserError, match=f"frame_features .* must be an integer of at least.*got {width}"
    ):
        ARCHITECTURES[kind](**{**TINIEST, "frame_features": width})
