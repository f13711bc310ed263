import numpy as np
import pytest
from checks import TINIEST, to_numpy

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
