"""The two terms of the negative ELBO, per clip and frame, in float32."""

from keras import ops


def frame_mse(truth, prediction):
    """Mean squared error of each frame.

    Args:
        truth: (B, T, H, W, C), values in [0, 1].
        prediction: the same shape.

    Returns:
        (B, T) float32: the mean over pixels and channels.
    """
    truth, prediction = ops.cast(truth, "float32"), ops.cast(prediction, "float32")
    return ops.mean(ops.square(prediction - truth), axis=(2, 3, 4))


def gaussian_kl(mu, logvar, reduction="sum"):
    """KL divergence of N(mu, exp(logvar)) from N(0, I) (Kingma & Welling 2014, appendix B).

    Args:
        mu: (B, T, ...) mean of the latent maps.
        logvar: the same shape, logarithm of the variance.
        reduction: `"sum"` over the latent elements: nats per frame, the ELBO's term. `"mean"`
            over the latent elements: independent of the size of the frame and the latent maps.

    Returns:
        (B, T) float32, in nats per frame (`"sum"`) or per latent element (`"mean"`).
    """
    mu, logvar = ops.cast(mu, "float32"), ops.cast(logvar, "float32")
    terms = -0.5 * (1 + logvar - ops.square(mu) - ops.exp(logvar))
    reduce = ops.sum if reduction == "sum" else ops.mean
    return reduce(terms, axis=tuple(range(2, len(terms.shape))))
