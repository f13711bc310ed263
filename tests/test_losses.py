import numpy as np
import pytest
from checks import to_numpy

from keras_cvae.losses import frame_mse, gaussian_kl


def test_mse_is_the_mean_of_each_frame():
    truth = np.zeros((1, 2, 2, 2, 3), "float32")
    prediction = truth.copy()
    prediction[0, 1, 0, 0] = [0.5, 0.5, 1.0]
    assert to_numpy(frame_mse(truth, prediction))[0].tolist() == [0.0, 1.5 / 12]


def test_kl_of_a_known_gaussian():
    mu = np.full((1, 1, 2, 2, 3), 2.0, "float32")
    logvar = np.full_like(mu, np.log(3.0))
    one = 0.5 * (3.0 + 4.0 - 1.0 - np.log(3.0))
    assert to_numpy(gaussian_kl(mu, logvar, "sum")) == pytest.approx(12 * one, rel=1e-6)
    assert to_numpy(gaussian_kl(mu, logvar, "mean")) == pytest.approx(one, rel=1e-6)


def test_kl_of_the_prior_is_zero():
    zeros = np.zeros((2, 3, 2, 2, 1), "float32")
    assert to_numpy(gaussian_kl(zeros, zeros)).tolist() == np.zeros((2, 3)).tolist()


def test_losses_are_float32_in_half_precision():
    from keras import ops

    x = ops.cast(np.ones((1, 1, 2, 2, 3), "float32"), "bfloat16")
    assert to_numpy(frame_mse(x, x)).dtype == to_numpy(gaussian_kl(x, x)).dtype == np.float32
