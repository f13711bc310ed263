"""What the latent tells: its KL, the maps that carry it, and what knowing it is worth."""

import numpy as np
from keras import ops

from keras_cvae.losses import gaussian_kl
from keras_cvae.metrics import frame_psnr

ACTIVE_VARIANCE = 0.01  # of the posterior mean, as in the paper
_FRAMES = 64  # inferred from one look at the progress to the next


def latent_use(model, videos, progress=None):
    """How much the posterior says about true frames, and how much of it the prediction lacks.

    A latent is active if the variance over the data of its posterior mean is above 0.01 (Burda et
    al. 2016, arXiv:1509.00519, section 5.2); here over frames and places, for each latent map.
    The gap of `posterior_psnr` to the PSNR of the prediction is what the prior does not know.

    Args:
        model: `CVAE`.
        videos: list of `keras_cvae.data.Video`, all with their true frames.
        progress: object with `update(n)`, or `None`; counts frames, each of them twice.

    Returns:
        dict: `kl_nats`, the KL of a frame's posterior from N(0, I), summed over the latent and
        averaged over the frames; `active_maps` and `latent_maps`, how many of how many;
        `posterior_psnr`, dB, of free roll-outs with z the posterior's mean of each true frame.
    """
    means, kls, curves = [], [], []
    for video in videos:
        mu, logvar = _infer(model, video, progress)
        kls.append(ops.convert_to_numpy(gaussian_kl(mu[None], logvar[None], "sum"))[0])
        means.append(mu.reshape(-1, mu.shape[-1]))
        stream = model.stream_video(video.frames[:1], video.poses[None], z=mu[None])
        for truth, (predicted,) in zip(video.frames[1:], stream, strict=True):
            curves.append(frame_psnr(truth[None], predicted[None]))
            if progress is not None:
                progress.update(1)
    variance = np.concatenate(means).var(axis=0, dtype="float64")
    return {
        "kl_nats": float(np.concatenate(kls).mean()),
        "active_maps": int((variance > ACTIVE_VARIANCE).sum()),
        "latent_maps": len(variance),
        "posterior_psnr": float(np.concatenate(curves).mean()),
    }


def _infer(model, video, progress):
    """The posterior of a video, some frames after others, for the progress."""
    parts = []
    for start in range(0, len(video.frames) - 1, _FRAMES):
        shown = slice(start, start + _FRAMES + 1)  # the first of a part is not inferred
        parts.append(model.infer_latents(video.frames[shown], video.poses[shown]))
        if progress is not None:
            progress.update(len(parts[-1][0]))
    return tuple(np.concatenate(each) for each in zip(*parts, strict=True))
