import numpy as np
import pytest
from checks import to_numpy
from keras import ops

from keras_cvae.layers.gaussian import bound_logvar, reparameterise


def test_the_sample_has_the_mean_and_the_standard_deviation():
    mu, logvar = np.full(3, 5.0, "float32"), np.full(3, np.log(9.0), "float32")
    eps = np.array([-1.0, 0.0, 2.0], "float32")
    z = to_numpy(reparameterise(*(ops.convert_to_tensor(x) for x in (mu, logvar, eps))))
    np.testing.assert_allclose(z, [2.0, 5.0, 11.0], rtol=1e-6)


def test_no_bound_changes_nothing():
    logvar = np.array([-1e3, 3.0, 1e3], "float32")
    np.testing.assert_array_equal(bound_logvar(logvar, None), logvar)


@pytest.mark.parametrize("bound", [0.5, 10.0])
def test_the_bound_holds_and_is_the_identity_near_zero(bound):
    x = np.linspace(-50, 50, 1001).astype("float32")
    y = to_numpy(bound_logvar(x, bound))
    assert np.abs(y).max() <= bound
    assert (np.diff(y) >= 0).all()
    small = np.array([-1e-3, 0.0, 1e-3], "float32") * bound
    np.testing.assert_allclose(to_numpy(bound_logvar(small, bound)), small, rtol=1e-5)
