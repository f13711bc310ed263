"""The diagonal Gaussian of the latent maps."""

from keras import ops


def reparameterise(mu, logvar, eps):
    """Draws z = mu + exp(logvar / 2) * eps (Kingma & Welling 2014, section 2.4).

    Args:
        mu: mean, any shape.
        logvar: logarithm of the variance, the shape of `mu`.
        eps: standard normal noise, the shape of `mu`.

    Returns:
        The sample, the shape of `mu`.
    """
    return mu + ops.exp(logvar / 2) * eps


def bound_logvar(logvar, bound):
    """Keeps a log-variance inside +-`bound`, smoothly.

    Without a bound exp(logvar) overflows where the KL term has no weight (beta = 0), and the loss
    becomes NaN. `bound * tanh(logvar / bound)` is the identity near 0 and keeps a gradient
    everywhere, which clipping does not. At a bound of 4 the standard deviation of z is at most
    exp(2) = 7.4; from about exp(5) on, the gated blocks of the `lab` decoder overflow themselves.

    Args:
        logvar: logarithm of the variance, any shape.
        bound: float > 0, or `None` for no bound (as published).

    Returns:
        The bounded log-variance.
    """
    if bound is None:
        return logvar
    return bound * ops.tanh(logvar / bound)
