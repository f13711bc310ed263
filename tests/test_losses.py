import numpy as np
import pytest
from checks import to_numpy

from keras_cvae.losses import frame_dissimilarity, frame_mse, gaussian_kl
from keras_cvae.metrics import frame_ssim


def test_mse_is_the_mean_of_each_frame():
    truth = np.zeros((1, 2, 2, 2, 3), "float32")
    prediction = truth.copy()
    prediction[0, 1, 0, 0] = [0.5, 0.5, 1.0]
    assert to_numpy(frame_mse(truth, prediction))[0].tolist() == [0.0, 1.5 / 12]


def test_dissimilarity_is_one_minus_ssim_of_each_frame():
    rng = np.random.default_rng(0)
    truth = rng.random((2, 3, 12, 16, 3), dtype="float32")
    prediction = truth + 0.1 * rng.standard_normal(truth.shape).astype("float32")
    prediction[1] = truth[1]
    found = to_numpy(frame_dissimilarity(truth, prediction))
    expected = [1 - frame_ssim(*clips) for clips in zip(truth, prediction, strict=True)]
    assert found.shape == (2, 3) and found[0].min() > 0.01
    np.testing.assert_allclose(found, expected, atol=1e-6)


def test_kl_of_a_known_gaussian():
    mu = np.full((1, 1, 2, 2, 3), 2.0, "float32")
    logvar = np.full_like(mu, np.log(3.0))
    one = 0.5 * (3.0 + 4.0 - 1.0 - np.log(3.0))
    assert to_numpy(gaussian_kl(mu, logvar, "sum")) == pytest.approx(12 * one, rel=1e-6)
    assert to_numpy(gaussian_kl(mu, logvar, "mean")) == pytest.approx(one, rel=1e-6)


def test_kl_of_the_prior_is_zero():
    zeros = np.zeros((2, 3, 2, 2, 1), "float32")
    assert to_numpy(gaussian_kl(zeros, zeros)).tolist() == np.zeros((2, 3)).tolist()


def test_kl_of_two_gaussians_is_that_of_samples():
    """Monte Carlo: the mean of log q(z) - log p(z) over z ~ q (Kingma & Welling 2014)."""
    rng = np.random.default_rng(0)
    mu, logvar, mean, log_variance = rng.standard_normal((4, 1, 2, 5)).astype("float32")
    z = mu + np.exp(logvar / 2) * rng.standard_normal((400_000, *mu.shape))

    def log_density(z, mu, logvar):
        return -0.5 * (np.log(2 * np.pi) + logvar + (z - mu) ** 2 / np.exp(logvar))

    ratios = (log_density(z, mu, logvar) - log_density(z, mean, log_variance)).sum(axis=-1)
    error = 4 * ratios.std(axis=0) / np.sqrt(len(ratios))
    exact = to_numpy(gaussian_kl(mu, logvar, "sum", (mean, log_variance)))
    assert (np.abs(exact - ratios.mean(axis=0)) < error).all()
    assert error.max() < 0.02 * exact.min()
    by_element = to_numpy(gaussian_kl(mu, logvar, "mean", (mean, log_variance)))
    np.testing.assert_allclose(5 * by_element, exact, rtol=1e-5)


def test_kl_from_a_given_standard_normal_is_that_from_the_default():
    rng = np.random.default_rng(0)
    mu, logvar = rng.standard_normal((2, 2, 3, 4, 4, 2)).astype("float32")
    standard = np.zeros_like(mu), np.zeros_like(mu)
    one, other = gaussian_kl(mu, logvar), gaussian_kl(mu, logvar, prior=standard)
    np.testing.assert_allclose(to_numpy(one), to_numpy(other), rtol=1e-5)


def test_kl_of_a_distribution_from_itself_is_zero():
    mu, logvar = np.random.default_rng(0).standard_normal((2, 1, 2, 8)).astype("float32")
    assert to_numpy(gaussian_kl(mu, logvar, prior=(mu, logvar))).tolist() == [[0.0, 0.0]]


def test_losses_are_float32_in_half_precision():
    from keras import ops

    x = ops.cast(np.ones((1, 1, 2, 2, 3), "float32"), "bfloat16")
    assert to_numpy(frame_mse(x, x)).dtype == to_numpy(gaussian_kl(x, x)).dtype == np.float32
