"""The diagonal Gaussian of the latents."""

from keras import ops

from keras_cvae.backend.tensor import Tensor


def reparameterise(mu: Tensor, logvar: Tensor, eps: Tensor) -> Tensor:
    """Samples z = mu + exp(logvar / 2) * eps (Kingma & Welling 2014, section 2.4).

    Args:
        mu: the mean, of any shape.
        logvar: the same shape, the logarithm of the variance.
        eps: the same shape, standard normal noise.

    Returns:
        z, of the same shape.
    """
    return mu + ops.exp(logvar / 2) * eps


def bound_logvar(logvar: Tensor, bound: float | None) -> Tensor:
    """Keeps a log-variance inside +-`bound`, smoothly.

    Without a bound exp(logvar) overflows when the KL term has no weight (beta = 0), and the loss
    becomes NaN. `bound * tanh(logvar / bound)` is the identity near 0 and has a gradient
    everywhere, which clipping has not. At a bound of 4 the standard deviation of z is at most
    exp(2) = 7.4. From about exp(5) on, the gated blocks of the `lab` decoder overflow.

    Args:
        logvar: the logarithm of the variance, of any shape.
        bound: above 0, or `None` for no bound (as published).

    Returns:
        The bounded log-variance, of the same shape.
    """
    if bound is None:
        return logvar
    return bound * ops.tanh(logvar / bound)
