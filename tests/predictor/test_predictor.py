"""`Predictor` around a step that is known."""

import numpy as np
import pytest
from checks import rounding

from keras_cvae.model.cvae import CVAE
from keras_cvae.predictor import Predictor, each_frame

LATENT = (1, 2, 4)


def mix(previous, pose, z):
    return 0.5 * previous + 0.4 * pose + 0.1 * z.mean(axis=(1, 2, 3))[:, None, None, None]


@pytest.fixture
def predictor():
    return Predictor(lambda shape, latent_shape: mix, lambda size: LATENT, (8, 16))


@pytest.fixture
def images():
    return np.random.default_rng(0).integers(0, 256, (6, 8, 16, 3), dtype=np.uint8)


def test_a_frame_is_made_of_the_one_before_its_pose_and_z(predictor, images):
    video = predictor.predict_video(images[0], images)
    assert video.shape == images.shape and video.dtype == "float32"
    expected = images[0] / np.float32(255)
    np.testing.assert_array_equal(video[0], expected)
    for t in range(1, 6):
        expected = 0.5 * expected + 0.4 * (images[t] / np.float32(255))
        np.testing.assert_allclose(video[t], expected, rtol=1e-6)


def test_noise_scales_with_the_temperature_and_follows_the_seed(predictor, images):
    at = [predictor.predict_video(images[0], images, t, seed=0) for t in (0, 1, 2)]
    np.testing.assert_allclose(at[2] - at[0], 2 * (at[1] - at[0]), atol=1e-5)
    assert np.abs(at[1] - at[0]).max() > 1e-3
    again = predictor.predict_video(images[0], images, 1, seed=0)
    np.testing.assert_array_equal(at[1], again)
    for other in (1, None):
        video = predictor.predict_video(images[0], images, 1, seed=other)
        assert np.abs(video - again).max() > 1e-3


def test_the_stored_temperature_is_the_default(images):
    stored = Predictor(lambda shape, latent_shape: mix, lambda size: LATENT, temperature=2.0)
    asked = stored.predict_video(images[0], images, temperature=2.0, seed=0)
    np.testing.assert_array_equal(stored.predict_video(images[0], images, seed=0), asked)


def test_given_latents_take_the_place_of_the_priors(predictor, images):
    z = np.random.default_rng(2).standard_normal((5, *LATENT)).astype("float32")
    video = predictor.predict_video(images[0], images, z=z)
    still = predictor.predict_video(images[0], images, temperature=0)
    expected = still[1] + 0.1 * z[0].mean()
    np.testing.assert_allclose(video[1], expected, rtol=1e-5)
    with pytest.raises(ValueError, match=r"z must be \(1, 5, 1, 2, 4\) for these poses"):
        predictor.predict_video(images[0], images, z=z[1:])


def test_a_stream_of_several_videos_at_once(predictor, images):
    poses = np.stack([images, images[::-1]])
    stream = predictor.stream(poses[:, 0], (poses[:, t] for t in range(6)), temperature=0)
    expected = predictor.predict_video(poses[:, 0], poses, temperature=0)
    np.testing.assert_array_equal(np.stack(list(stream), axis=1), expected[:, 1:])


def test_the_stream_is_the_video_and_waits_for_each_pose(predictor, images):
    read = []

    def camera():
        for number, image in enumerate(images):
            read.append(number)
            yield image

    video = predictor.predict_video(images[0], images, temperature=1, seed=3)
    stream = predictor.stream(images[0], camera(), temperature=1, seed=3)
    for t in range(1, 6):
        np.testing.assert_array_equal(next(stream), video[t])
        assert read[-1] == t  # no pose ahead
    assert next(stream, None) is None


def test_videos_at_once_are_the_videos_alone(predictor, images):
    poses = np.stack([images, images[::-1]])
    both = predictor.predict_video(poses[:, 0], poses)
    for video, alone in zip(both, poses, strict=True):
        np.testing.assert_allclose(video, predictor.predict_video(alone[0], alone), atol=1e-6)


@pytest.mark.parametrize(
    ("first", "poses", "message"),
    [
        ((8, 16, 4), (6, 8, 16, 4), "first_frames must be"),
        ((8, 16, 3), (6, 8, 15, 3), "poses must be"),
        ((8, 16, 3), (8, 16, 3), "poses must be"),
    ],
)
def test_wrong_shapes(predictor, first, poses, message):
    with pytest.raises(ValueError, match=message):
        predictor.predict_video(np.zeros(first, "uint8"), np.zeros(poses, "uint8"))


def test_wrong_values(predictor, images):
    with pytest.raises(ValueError, match="temperature"):
        predictor.predict_video(images[0], images, temperature=-1)
    with pytest.raises(ValueError, match="seed must be an integer of at least 0.*got -1"):
        predictor.predict_video(images[0], images, seed=-1)
    with pytest.raises(ValueError, match="int64"):
        predictor.predict_video(images[0].astype("int64"), images)
    with pytest.raises(ValueError, match=r"first_frames must be \(H, W, 3\) or \(B, H, W, 3\)"):
        predictor.stream(images[0, 0], images)
    with pytest.raises(ValueError, match=r"Pose 1 must be \(8, 16, 3\).*\(8, 15, 3\)"):
        list(predictor.stream(images[0], [images[0], images[1][:, :15]]))


def test_the_noise_is_that_of_the_model(images):
    model = CVAE("multiscale", 8, 8, 4, 8, seed=0)
    predictor = Predictor(model.prediction.step_for, model.latent_shape)
    expected = model.predict_video(images[0], images, temperature=1.0, seed=5)
    found = predictor.predict_video(images[0], images, temperature=1.0, seed=5)
    np.testing.assert_allclose(found, expected, rtol=0, atol=rounding())
    with pytest.raises(ValueError, match="multiples of 8"):
        predictor.predict_video(images[0][:7], images[:, :7])


def test_pieces_are_the_stream_and_follow_their_bounds(predictor, images, monkeypatch):
    poses = np.stack([images, images[::-1]])
    first = poses[:, 0]
    stream = list(predictor.stream_video(first, poses, 1.0, seed=3))
    for frames, pixels, lengths in (
        (128, 2**18, [5]),
        (2, 2**18, [2, 2, 1]),
        (128, 3 * 2 * 8 * 16, [3, 2]),
        (128, 1, [1] * 5),
    ):
        monkeypatch.setattr("keras_cvae.predictor.loops.PIECE_FRAMES", frames)
        monkeypatch.setattr("keras_cvae.predictor.loops.PIECE_PIXELS", pixels)
        pieces = list(predictor.predict_pieces(first, poses, 1.0, seed=3))
        assert [piece.shape[1] for piece in pieces] == lengths
        np.testing.assert_array_equal(np.concatenate(pieces, axis=1), np.stack(stream, axis=1))
        np.testing.assert_array_equal(list(each_frame(pieces)), stream)


def test_a_pose_out_of_range_is_an_error_of_its_piece(predictor, images, monkeypatch):
    monkeypatch.setattr("keras_cvae.predictor.loops.PIECE_FRAMES", 2)
    poses = images[None] / 255.0
    poses[0, 4] = 2.0
    pieces = predictor.predict_pieces(images[None, 0], poses)
    assert next(pieces).shape[1] == 2
    with pytest.raises(ValueError, match="poses from 3 on: floats must lie in"):
        next(pieces)
