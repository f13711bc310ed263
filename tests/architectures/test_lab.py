import keras
import numpy as np
import pytest
from checks import TINIEST, TINY, to_numpy

from keras_cvae import CVAE
from keras_cvae.architectures.lab import LabArchitecture
from keras_cvae.published.names import lab_variables

# Trainable parameters at 128/32/12/192, by the published module's name.
LAB_COUNTS = {
    "frame_transformation": 193_568,
    "label_transformation": 16_832,
    "Gaussian_Predictor": 8_289,
    "Decoder_Fusion": 617_768,
    "Generator": 749_163,
}


def trainable_count(variables):
    return sum(int(np.prod(v.shape)) for v in variables if v.trainable)


def test_the_lab_preset_has_the_published_parameter_counts():
    model = CVAE.from_preset("lab")
    networks = model.architecture
    ours = {
        "frame_transformation": networks.frame_encoder.trainable_variables,
        "label_transformation": [
            *networks.pose_conv.trainable_variables,
            *networks.pose_norm.trainable_variables,
            *networks.pose_residual.trainable_variables,
        ],
        "Gaussian_Predictor": networks.posterior_predictor.trainable_variables,
        "Decoder_Fusion": networks.decoder_fusion.trainable_variables,
        "Generator": networks.generator.trainable_variables,
    }
    assert {name: trainable_count(variables) for name, variables in ours.items()} == LAB_COUNTS
    assert trainable_count(model.trainable_variables) == 1_585_620
    assert len(model.trainable_variables) == sum(map(len, ours.values()))
    # Beside them: the norm's statistics, beta, the ratio, the random state.
    assert len(model.non_trainable_variables) == 5


def test_every_variable_has_its_place_in_a_published_checkpoint():
    model = CVAE("lab", **TINY)
    variables = [variable for _, variable in lab_variables(model)]
    assert len({id(v) for v in variables}) == len(variables)
    assert {id(v) for v in variables} == {id(v) for v in model.architecture.variables}


@pytest.mark.parametrize(
    ("name", "lowest"),
    [("frame_features", 8), ("pose_features", 2), ("latent_maps", 4), ("decoder_features", 8)],
)
def test_widths_that_a_division_reduces_to_zero_are_errors(name, lowest):
    for wrong in (lowest - 1, 0, -8, float(lowest), None):
        with pytest.raises(ValueError, match=f"{name}.*at least {lowest}; got"):
            CVAE("lab", **{**TINIEST, name: wrong})
    CVAE("lab", **{**TINIEST, name: lowest})


def test_odd_widths_use_integer_division():
    model = CVAE("lab", frame_features=17, pose_features=5, latent_maps=7, decoder_features=27)
    frames = np.random.default_rng(0).random((1, 3, 5, 6, 3))
    assert model.rollout(frames, frames).pred.shape == (1, 2, 5, 6, 3)
    assert model.rollout(frames, frames).mu.shape == (1, 2, 5, 6, 7)


def test_poses_are_padded_by_reflection():
    networks = LabArchitecture(8, 2, 4, 8)
    networks.build()
    rng = np.random.default_rng(0)
    pose = rng.random((1, 1, 6, 7, 3)).astype("float32")
    padded = np.pad(pose, [(0, 0), (0, 0), (3, 3), (3, 3), (0, 0)], mode="reflect")
    x = networks.pose_conv(padded[:, 0])[:, None]
    expected = networks.pose_residual(networks.pose_norm(x)[:, 0])
    assert networks.pose_norm.epsilon == 1e-5
    result = to_numpy(networks.encode_poses(keras.ops.convert_to_tensor(pose)))
    np.testing.assert_allclose(result[:, 0], to_numpy(expected), rtol=1e-5, atol=1e-6)


@pytest.mark.parametrize("size", [(3, 8), (8, 3), (1, 1)])
def test_frames_smaller_than_the_padding_are_errors(size):
    model = CVAE("lab", **TINIEST)
    model.compile("adam")
    frames = np.zeros((1, 2, *size, 3), np.uint8)
    inputs = {"frames": frames, "poses": frames}
    for call in (
        lambda: model.rollout(frames, frames),
        lambda: model.predict_video(frames[:, 0], frames),
        lambda: model.train_on_batch(inputs),
        lambda: model.test_on_batch(inputs),
        lambda: model.predict_on_batch(inputs),
    ):
        with pytest.raises(ValueError, match=f"at least 4 x 4 pixels; got {size[0]} x {size[1]}"):
            call()
    small = np.zeros((1, 2, 4, 4, 3), np.uint8)
    assert model.rollout(small, small).pred.shape == (1, 1, 4, 4, 3)
