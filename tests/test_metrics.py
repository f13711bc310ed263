import numpy as np
import pytest

from keras_cvae.metrics import MAX_PSNR, frame_psnr, frame_ssim


def test_psnr_of_a_known_error():
    truth = np.zeros((2, 4, 4, 3))
    prediction = np.stack([np.full((4, 4, 3), 0.1), np.full((4, 4, 3), 0.01)])
    assert frame_psnr(truth, prediction) == pytest.approx([20.0, 40.0])


def test_the_mean_is_of_psnrs_and_not_the_psnr_of_the_mean_error():
    truth = np.zeros((2, 4, 4, 3))
    prediction = np.stack([np.full((4, 4, 3), 0.1), np.full((4, 4, 3), 0.01)])
    pooled = -10 * np.log10(np.mean(prediction**2))
    assert frame_psnr(truth, prediction).mean() == pytest.approx(30.0)
    assert abs(frame_psnr(truth, prediction).mean() - pooled) > 5


def test_uint8_does_not_wrap_around():
    black, white = np.zeros((1, 4, 4, 3), np.uint8), np.full((1, 4, 4, 3), 255, np.uint8)
    assert frame_psnr(black, white) == pytest.approx([0.0])
    assert frame_psnr(black, white / 255.0) == pytest.approx([0.0])
    assert frame_psnr(black, black + np.uint8(1)) == pytest.approx([20 * np.log10(255)])


def test_a_perfect_frame_is_capped():
    assert frame_psnr(np.ones((1, 4, 4, 3)), np.ones((1, 4, 4, 3))).tolist() == [MAX_PSNR]


def test_ssim_is_one_for_equal_frames_and_falls_with_noise():
    rng = np.random.default_rng(0)
    truth = rng.uniform(size=(70, 16, 16, 3)).astype("float32")
    noisy = np.clip(truth + rng.normal(scale=0.2, size=truth.shape), 0, 1)
    assert frame_ssim(truth, truth) == pytest.approx(np.ones(70))
    values = frame_ssim(truth, noisy)
    assert values.shape == (70,)
    assert values.max() < 0.95


def test_ssim_of_uint8_is_that_of_floats():
    rng = np.random.default_rng(0)
    a, b = (rng.integers(0, 256, (2, 12, 16, 3), dtype=np.uint8) for _ in range(2))
    assert frame_ssim(a, b) == pytest.approx(frame_ssim(a / 255.0, b / 255.0), abs=1e-6)


def test_frames_smaller_than_the_window_have_no_ssim():
    assert np.isnan(frame_ssim(np.zeros((2, 8, 16, 3)), np.zeros((2, 8, 16, 3)))).all()
