import tracemalloc

import numpy as np
import pytest
from checks import TINIEST, call, installed_backends, rounding

from keras_cvae import CVAE


@pytest.fixture
def model():
    return CVAE("lab", **TINIEST, temperature=1.0, seed=0)


def images(*shape, seed=0):
    return np.random.default_rng(seed).integers(0, 256, (*shape, 8, 12, 3), dtype=np.uint8)


def test_shapes_with_and_without_a_batch_and_the_given_frame_comes_first(model):
    first, poses = images(2), images(2, 5, seed=1)
    video = model.predict_video(first, poses, seed=3)
    assert video.shape == (2, 5, 8, 12, 3)
    assert video.dtype == np.float32
    assert video[:, 0] == pytest.approx(first / 255.0)
    assert model.predict_video(first[0], poses[0]).shape == (5, 8, 12, 3)
    assert model.predict_video(first[0], poses[0, :1]).shape == (1, 8, 12, 3)


def test_a_seed_fixes_the_noise_and_temperature_0_has_none(model):
    first, poses = images(1), images(1, 4, seed=1)
    one, same, other = (model.predict_video(first, poses, seed=s) for s in (1, 1, 2))
    assert (one == same).all()
    assert np.abs(one - other).max() > 0
    cold = [model.predict_video(first, poses, temperature=0, seed=s) for s in (1, 2)]
    assert (cold[0] == cold[1]).all()
    fresh = [model.predict_video(first, poses) for _ in range(2)]
    assert np.abs(fresh[0] - fresh[1]).max() > 0


def test_the_stored_temperature_is_the_default(model):
    first, poses = images(1), images(1, 4, seed=1)
    stored = model.predict_video(first, poses, seed=1)
    assert (stored == model.predict_video(first, poses, temperature=1.0, seed=1)).all()
    assert np.abs(stored - model.predict_video(first, poses, temperature=0.5, seed=1)).max() > 0


def test_a_longer_video_begins_with_the_shorter_one(model):
    first, poses = images(1), images(1, 6, seed=1)
    long, short = (model.predict_video(first, poses[:, :n], seed=1) for n in (6, 3))
    np.testing.assert_allclose(long[:, :3], short, rtol=0, atol=rounding())


def test_frame_t_sees_pose_t_and_no_later_one(model):
    first, poses = images(1), images(1, 6, seed=1)
    base = model.predict_video(first, poses, seed=1)[0]
    changed = poses.copy()
    changed[:, 3] = 255 - changed[:, 3]
    differs = np.abs(model.predict_video(first, changed, seed=1)[0] - base).max((1, 2, 3)) > 0
    assert differs.tolist() == [False, False, False, True, True, True]


def test_pose_0_is_not_used(model):
    first, poses = images(1), images(1, 3, seed=1)
    changed = poses.copy()
    changed[:, 0] = 0
    one, other = (model.predict_video(first, p, seed=1) for p in (poses, changed))
    assert (one == other).all()


def test_floats_and_uint8_are_the_same_images(model):
    first, poses = images(1), images(1, 3, seed=1)
    one = model.predict_video(first, poses, seed=1)
    other = model.predict_video(first / 255.0, poses / 255.0, seed=1)
    assert one == pytest.approx(other, abs=1e-6)


@pytest.mark.parametrize("architecture", ["lab", "multiscale"])
def test_pieces_are_the_stream(architecture, monkeypatch):
    model = CVAE(architecture, **TINIEST, temperature=1.0, seed=0)
    first, poses = np.random.default_rng(0).integers(0, 256, (2, 2, 8, 8, 16, 3), dtype=np.uint8)
    stream = np.stack(list(model.stream_video(first[:, 0], poses, seed=1)), axis=1)
    for frames in (128, 3):
        monkeypatch.setattr("keras_cvae.predictor.loops.PIECE_FRAMES", frames)
        video = model.predict_video(first[:, 0], poses, seed=1)
        np.testing.assert_allclose(video[:, 1:], stream, atol=rounding(1e-6))


def _several_lengths(backend):
    """Pieces of several lengths, as videos of several lengths and a last piece have."""
    model = CVAE("multiscale", **TINIEST, temperature=1.0, seed=0)
    images = np.random.default_rng(0).integers(0, 256, (2, 22, 8, 16, 3), dtype=np.uint8)
    longest = None
    for frames in (22, 7, 3):
        poses = images[1:, :frames]
        video = model.predict_video(images[0, :1], poses, seed=1)
        longest = video if longest is None else longest
        np.testing.assert_allclose(video, longest[:, :frames], atol=rounding(1e-6))
    stream = np.stack(list(model.stream_video(images[0, :1], images[1:], seed=1)), axis=1)
    np.testing.assert_allclose(longest[:, 1:], stream, atol=rounding(1e-6))


@pytest.mark.parametrize("backend", ["tensorflow", pytest.param("jax", marks=pytest.mark.slow)])
def test_several_lengths_on_other_backends(backend):
    if backend not in installed_backends():
        pytest.skip(f"{backend} is not installed")
    call(_several_lengths, backend, backend=backend)


def test_memory_of_the_stream_does_not_grow_with_the_video(model):
    first = images(1)
    pose = images(1, 1, seed=1)

    def peak(frames):
        poses = np.broadcast_to(pose, (1, frames, 8, 12, 3))
        tracemalloc.start()
        for _ in model.stream_video(first, poses, seed=1):
            pass
        top = tracemalloc.get_traced_memory()[1]
        tracemalloc.stop()
        return top

    list(model.stream_video(first, images(1, 3)))  # the step is recorded
    peak(2)
    one_frame = 8 * 12 * 3 * 4
    assert peak(30) < peak(5) + 12 * one_frame


@pytest.mark.parametrize(
    ("first", "poses", "match"),
    (
        (images(1)[..., :2], images(1, 3), "first_frames must be"),
        (images(1), images(3), "poses must be"),
        (images(1), images(2, 3), "poses must be"),
        (images(1), images(1, 0), "T >= 1"),
        (images(1).astype("int32"), images(1, 3), "uint8"),
        (images(1), images(1, 3).astype("int64"), "uint8"),
    ),
)
def test_wrong_arrays_are_errors(model, first, poses, match):
    with pytest.raises(ValueError, match=match):
        model.predict_video(first, poses)


def test_wrong_temperatures_are_errors(model):
    for temperature in (-1, float("nan")):
        with pytest.raises(ValueError, match="temperature"):
            model.predict_video(images(1), images(1, 2), temperature=temperature)
