"""The terms of the loss, per clip and frame, in float32."""

from keras import ops

from keras_cvae.backend.tensor import Tensor
from keras_cvae.errors import UserError
from keras_cvae.images import SSIM_WINDOW


def frame_mse(truth: Tensor, prediction: Tensor) -> Tensor:
    """Mean squared error of each frame.

    Args:
        truth: (B, T, H, W, C), pixels in [0, 1].
        prediction: the same shape.

    Returns:
        (B, T) float32: the mean over pixels and channels.
    """
    truth, prediction = ops.cast(truth, "float32"), ops.cast(prediction, "float32")
    return ops.mean(ops.square(prediction - truth), axis=(2, 3, 4))


def frame_dissimilarity(truth: Tensor, prediction: Tensor) -> Tensor:
    """1 - SSIM of each frame (Wang et al. 2004), by `keras.ops.image.ssim`.

    Args:
        truth: (B, T, H, W, C), pixels in [0, 1].
        prediction: the same shape.

    Returns:
        (B, T) float32, in [0, 2]; 0 where the frames are equal.

    Raises:
        UserError: for frames smaller than the 11 x 11 window of SSIM.
    """
    count, *image = truth.shape[1:]
    if min(image[:2]) < SSIM_WINDOW:
        raise UserError(
            f"The SSIM term of the loss needs frames of at least {SSIM_WINDOW} x {SSIM_WINDOW} "
            f"pixels; got {image[0]} x {image[1]}. Set ssim_weight to 0, or take larger frames."
        )
    images = (ops.reshape(ops.cast(x, "float32"), (-1, *image)) for x in (truth, prediction))
    ssim = ops.image.ssim(*images, max_val=1.0, data_format="channels_last")
    return ops.reshape(1 - ssim, (-1, count))


def gaussian_kl(
    mu: Tensor,
    logvar: Tensor,
    reduction: str = "sum",
    prior: tuple[Tensor, Tensor] | None = None,
) -> Tensor:
    """KL divergence of N(mu, exp(logvar)) from the prior, exact.

    From N(0, I) it is that of Kingma & Welling 2014 (appendix B). From N(m, exp(v)) it is, for each
    latent element, (v - logvar + exp(logvar - v) + (mu - m)^2 exp(-v) - 1) / 2.

    Args:
        mu: (B, T, ...), the mean of the latents.
        logvar: the same shape, the logarithm of the variance.
        reduction: `"sum"` over the latent elements gives nats per frame, the term of the ELBO.
            `"mean"` over them does not depend on the frame size or the number of latent channels.
        prior: mean and logarithm of the variance of the prior, both of the same shape; `None` is
            N(0, I).

    Returns:
        (B, T) float32, in nats per frame (`"sum"`) or per latent element (`"mean"`).
    """
    mu, logvar = ops.cast(mu, "float32"), ops.cast(logvar, "float32")
    if prior is None:
        terms = -0.5 * (1 + logvar - ops.square(mu) - ops.exp(logvar))
    else:
        mean, log_variance = (ops.cast(each, "float32") for each in prior)
        excess = logvar - log_variance
        distance = ops.square(mu - mean) * ops.exp(-log_variance)
        terms = 0.5 * (ops.exp(excess) - excess + distance - 1)
    reduce = ops.sum if reduction == "sum" else ops.mean
    return reduce(terms, axis=tuple(range(2, len(terms.shape))))
