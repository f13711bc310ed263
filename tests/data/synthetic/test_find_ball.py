import cv2
import numpy as np
import pytest

from keras_cvae.data.synthetic import ball_centres, find_ball, render_video
from keras_cvae.errors import UserError

FRAMES = 300


def errors(images, centres):
    """The share of the images in which the ball is found, and the distances there."""
    found = find_ball(images)
    assert found.shape == centres.shape
    seen = ~np.isnan(found).any(axis=1)
    assert (np.isnan(found).all(axis=1) == ~seen).all()
    return seen.mean(), np.linalg.norm((found - centres)[seen], axis=1)


@pytest.fixture(scope="module", params=[(32, 64), (64, 128), (48, 48)], ids=str)
def drawn(request):
    """Frames with and without the ball as floats, and its centres."""
    size = request.param
    pair = (render_video(8, FRAMES, size, ball=ball).frames for ball in (True, False))
    return *(frames / np.float32(255) for frames in pair), ball_centres(8, FRAMES, size)


def test_it_is_found_in_true_frames(drawn):
    frames, _, centres = drawn
    for images in (frames, frames.astype(np.float64), np.rint(frames * 255).astype(np.uint8)):
        share, distances = errors(images, centres)
        assert share > 0.97 and distances.mean() < 0.1 and distances.max() < 0.3


def test_it_is_not_found_where_it_is_not(drawn):
    _, empty, centres = drawn
    assert np.isnan(find_ball(empty)).mean() > 0.99
    noisy = np.clip(empty + np.random.default_rng(0).normal(0, 0.05, empty.shape), 0, 1)
    assert np.isnan(find_ball(noisy)).mean() > 0.99


def test_it_is_found_half_transparent(drawn):
    frames, empty, centres = drawn
    share, distances = errors((frames + empty) / 2, centres)
    assert share > 0.97 and distances.mean() < 0.3


def test_it_is_found_blurred(drawn):
    frames, _, centres = drawn
    blurred = np.stack([cv2.GaussianBlur(frame, (0, 0), 1.5) for frame in frames])
    share, distances = errors(blurred, centres)
    assert share > 0.97 and distances.mean() < 0.5


def test_the_heavier_of_two_is_taken(drawn):
    frames, empty, centres = drawn
    other = np.roll(frames, 60, axis=0)  # the ball is in another place
    apart = np.linalg.norm(np.roll(centres, 60, axis=0) - centres, axis=1) > frames.shape[1] / 2
    both = empty + 0.9 * (frames - empty) + 0.55 * (other - empty)
    _, distances = errors(np.clip(both, 0, 1)[apart], centres[apart])
    assert (distances < 1).mean() > 0.95


def test_centres_are_finer_than_pixels():
    images = np.full((2, 32, 64, 3), (0.2, 0.6, 0.5))
    images[0, 10:14, 20:24] = 1, 0, 1  # x from 20 to 24
    images[1, 10:14, 20:25] = 1, 0, 1
    np.testing.assert_allclose(find_ball(images), [(22, 12), (22.5, 12)])
    images[1, 10:14, 24] = (images[1, 10:14, 24] + (0.2, 0.6, 0.5)) / 2  # half covered
    assert 22 < find_ball(images)[1, 0] < 22.5


def test_shape_and_what_is_not_finite():
    assert find_ball(np.zeros((0, 32, 64, 3), np.uint8)).shape == (0, 2)
    images = np.full((3, 32, 64, 3), np.nan, np.float32)
    images[1], images[2] = 0.5, np.inf
    images[1, 5:9, 5:9] = 7, -3, 7  # of a model without a bound
    found = find_ball(images)
    assert found.shape == (3, 2) and found.dtype == np.float64
    np.testing.assert_allclose(found, [(np.nan, np.nan), (7, 7), (np.nan, np.nan)])
    speck = np.zeros((1, 32, 64, 3))
    speck[0, 4, 4] = 1, 0, 1
    assert np.isnan(find_ball(speck)).all()


@pytest.mark.parametrize(
    ("images", "message"),
    [
        (np.zeros((32, 64, 3), np.uint8), r"shape \(N, H, W, 3\); got \(32, 64, 3\)"),
        (np.zeros((2, 32, 64, 4), np.uint8), r"got \(2, 32, 64, 4\)"),
        (np.zeros((2, 0, 64, 3), np.uint8), r"got \(2, 0, 64, 3\)"),
        (np.zeros((2, 32, 64, 3), int), "uint8 images, or floats.*got int64"),
    ],
    ids=str,
)
def test_what_is_no_image_is_named(images, message):
    with pytest.raises(UserError, match=message):
        find_ball(images)
