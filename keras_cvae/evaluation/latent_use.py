"""What the latent carries: its KL, its active units, and the PSNR with the posterior's z."""

from collections.abc import Sequence
from typing import Any

import numpy as np

from keras_cvae.data.videos import Video
from keras_cvae.metrics import frame_psnr
from keras_cvae.predictor import each_frame
from keras_cvae.progress import Progress

ACTIVE_VARIANCE = 0.01  # of the posterior mean, as in the paper
_FRAMES = 64  # inferred between two updates of the progress


def latent_use(model: Any, videos: Sequence[Video]) -> dict:
    """How much the posterior says about true frames, and how much of it the prediction lacks.

    A latent unit is active if the variance over the data of its posterior mean is above 0.01 (Burda
    et al. 2016, arXiv:1509.00519, section 5.2); here over frames and places, for each latent
    channel. With a prior that is not N(0, I) it is the variance of what the posterior adds: its
    mean minus the prior's. The gap of `posterior_psnr` to the PSNR of the prediction is what the
    prior lacks.

    Args:
        model: `CVAE`.
        videos: `keras_cvae.data.Video`s, all with their true frames.

    Returns:
        dict: `kl_nats`, the KL of a frame's posterior from the prior, which sees the true frame
        before, summed over the latent and averaged over the frames; `active_maps` and
        `latent_maps`, how many channels of how many; `posterior_psnr`, dB, of free rollouts with z
        the posterior's mean of each true frame.
    """
    shifts, kls, curves = [], [], []
    frames = sum(len(video.poses) - 1 for video in videos)
    with Progress(2 * frames, "posterior and its rollout") as progress:
        for video in videos:
            mu, shift, kl = _infer(model, video, progress)
            kls.append(kl)
            shifts.append(shift.reshape(-1, shift.shape[-1]))
            pieces = model.predict_pieces(video.frames[:1], video.poses[None], z=mu[None])
            for truth, (predicted,) in zip(video.frames[1:], each_frame(pieces), strict=True):
                curves.append(frame_psnr(truth[None], predicted[None]))
                progress.update(1)
    variance = np.concatenate(shifts).var(axis=0, dtype="float64")
    return {
        "kl_nats": float(np.concatenate(kls).mean()),
        "active_maps": int((variance > ACTIVE_VARIANCE).sum()),
        "latent_maps": len(variance),
        "posterior_psnr": float(np.concatenate(curves).mean()),
    }


def _infer(model, video, progress):
    """Posterior mean, shift and KL of a video, some frames after others, for the progress."""
    parts = []
    for start in range(0, len(video.frames) - 1, _FRAMES):
        shown = slice(start, start + _FRAMES + 1)  # the first of a part is not inferred
        part = video.frames[shown], video.poses[shown]
        parts.append((model.infer_latents(*part)[0], *model.compare_to_prior(*part)))
        progress.update(len(parts[-1][0]))
    return tuple(np.concatenate(each) for each in zip(*parts, strict=True))
