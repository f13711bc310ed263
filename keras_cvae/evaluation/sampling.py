"""Many samples of the future: their mean, the best of them, and how much they differ."""

from collections.abc import Sequence
from typing import Any, NamedTuple

import numpy as np

from keras_cvae.data.videos import Video
from keras_cvae.evaluation.finite import finite_or_null
from keras_cvae.images import to_uint8
from keras_cvae.metrics import frame_psnr, frame_ssim
from keras_cvae.predictor import each_frame
from keras_cvae.progress import Progress

KEPT = 4  # samples of which frames are kept


class Samples(NamedTuple):
    """Roll-outs of one video with different noise.

    Args:
        name: str, of the video.
        psnr: (N, T-1) dB, of each sample's predicted frames.
        ssim: (N, T-1); NaN where frames are smaller than the 11 x 11 window.
        diversity: (T-1,), see `pairwise_distance`.
        frames: (K, F, H, W, 3) uint8, the first frames of the first samples, as far as they were
            to be kept; frame 0 is the given one.
    """

    name: str
    psnr: np.ndarray
    ssim: np.ndarray
    diversity: np.ndarray
    frames: np.ndarray | None = None


def sample_video(
    model: Any,
    video: Video,
    samples: int,
    temperature: float,
    seed: int = 0,
    progress: Progress | None = None,
    keep_frames: int = 0,
) -> Samples:
    """Predicts a video many times from its first frame, all samples in one batch.

    Nothing is kept of a frame but its numbers, and of a few samples the first frames, so that
    memory does not grow with the video.

    Args:
        model: `CVAE`.
        video: `keras_cvae.data.Video` with its true frames.
        samples: int >= 1.
        temperature: float >= 0, scale of the prior noise.
        seed: int, of the noise.
        progress: counts predicted frames of all samples.
        keep_frames: how many frames to keep of the first samples, `KEPT` at most, for a picture.

    Returns:
        `Samples`.
    """
    first = np.repeat(video.frames[:1], samples, axis=0)
    poses = np.broadcast_to(video.poses[None], (samples, *video.poses.shape))
    psnr, ssim, diversity = [], [], []
    kept = [to_uint8(first[:KEPT])] if keep_frames else []
    stream = each_frame(model.predict_pieces(first, poses, temperature, seed))
    for truth, predicted in zip(video.frames[1:], stream, strict=True):
        psnr.append(frame_psnr(truth[None], predicted))
        ssim.append(frame_ssim(np.broadcast_to(truth[None], predicted.shape), predicted))
        diversity.append(pairwise_distance(predicted))
        if len(kept) < keep_frames:
            kept.append(to_uint8(predicted[:KEPT]))
        if progress is not None:
            progress.update(samples)
    numbers = np.stack(psnr, 1), np.stack(ssim, 1), np.array(diversity)
    return Samples(video.name, *numbers, np.stack(kept, 1) if kept else None)


def pairwise_distance(images: np.ndarray) -> float:
    """Mean absolute difference of the pixels of two images, over all pairs, in grey levels of 255.

    Args:
        images: (N, ...) floats in [0, 1].

    Returns:
        float; 0 for a single image.
    """
    count = len(images)
    if count < 2:
        return 0.0
    ordered = np.sort(images.reshape(count, -1).astype("float64"), axis=0)
    # Of the sorted values x_0 <= x_1 <= ..., x_i is the larger of i pairs and the smaller of the
    # others.
    weights = 2 * np.arange(count) - count + 1
    total = (weights[:, None] * ordered).sum(axis=0).mean()
    return float(255 * total / (count * (count - 1) / 2))


def summarise(sampled: Sequence[Samples]) -> dict:
    """Mean and best of N over some videos, as SVG (Denton & Fergus 2018) and SRVP report them.

    The best sample of a video is the one of the highest mean over its frames, for each metric by
    itself: it is chosen by the truth, and rises with N even where the samples are noise.

    Args:
        sampled: list of `Samples`, one per video.

    Returns:
        dict: for `psnr` and `ssim`, `{metric}_mean`, `{metric}_best`, `{metric}_spread` (standard
        deviation over the samples of a video, averaged) and half-widths of 95% confidence intervals
        `{metric}_mean_ci` and `{metric}_best_ci`, over the videos (with a single video that of the
        mean is over its samples, and the best has none); `diversity`, see `pairwise_distance`;
        `samples`.
    """
    result: dict[str, Any] = {"samples": len(sampled[0].psnr)}
    for metric in ("psnr", "ssim"):
        by_video = [getattr(each, metric).mean(axis=1) for each in sampled]  # (N,) each
        means = np.array([values.mean() for values in by_video])
        bests = np.array([values.max() for values in by_video])
        several = len(sampled) > 1
        result[f"{metric}_mean"] = float(means.mean())
        result[f"{metric}_mean_ci"] = confidence(means if several else by_video[0])
        result[f"{metric}_best"] = float(bests.mean())
        result[f"{metric}_best_ci"] = confidence(bests)
        result[f"{metric}_spread"] = float(np.mean([values.std() for values in by_video]))
    result["diversity"] = float(np.mean([each.diversity.mean() for each in sampled]))
    return result


def confidence(values: np.ndarray) -> float | None:
    """Half the width of the 95% confidence interval of a mean, `None` of fewer than two values.

    By the normal distribution, as in the papers: 1.96 standard errors.
    """
    if len(values) < 2:
        return None
    return float(1.96 * np.std(values, ddof=1) / np.sqrt(len(values)))


def evaluate_samples(
    model: Any,
    split: str,
    videos: Sequence[Video],
    samples: int,
    temperature: float | None = None,
    seed: int = 0,
    keep_frames: int = 1,
) -> tuple[dict, np.ndarray]:
    """Mean and best of N samples of each video, and the rollout with z = 0.

    Args:
        model: `CVAE` or `Predictor`.
        split: how the progress line calls the videos.
        videos: `keras_cvae.data.Video`s with their true frames.
        samples: int >= 1.
        temperature: float >= 0; `None` is 1, the prior itself.
        seed: int, of the noise.
        keep_frames: int >= 1, how many frames of the first video's samples to return.

    Returns:
        `(metrics, shown)`. The metrics are what `summarise` gives, `temperature`, and `psnr_zero`
        and `ssim_zero`, the means of the rollout with z = 0; `None` where a sample is not finite.
        `shown` is (K, F, H, W, 3) uint8, the first samples of the first video.
    """
    temperature = 1.0 if temperature is None else temperature
    frames = sum(len(video.poses) - 1 for video in videos)
    label = f"sampling {split}"
    # A sample that diverges is no reason to lose the others: its numbers become `None`.
    with Progress((samples + 1) * frames, label) as progress, np.errstate(invalid="ignore"):
        sampled = [
            sample_video(
                *(model, video, samples, temperature, seed, progress),
                keep_frames=0 if number else keep_frames,
            )
            for number, video in enumerate(videos)
        ]
        zero = summarise([sample_video(model, v, 1, 0.0, progress=progress) for v in videos])
        result = {**summarise(sampled), "temperature": temperature}
    result |= {f"{metric}_zero": zero[f"{metric}_mean"] for metric in ("psnr", "ssim")}
    shown = sampled[0].frames
    assert shown is not None
    return finite_or_null(result), shown


def samples_table(sampled: dict) -> str:
    """What `evaluate_samples` gave, as lines of text; a dash where a value is not finite."""

    def number(value, digits=4):
        return "-" if value is None else f"{value:.{digits}g}"

    def interval(name):
        half = sampled[f"{name}_ci"]
        return number(sampled[name]) + (f" ± {half:.2g}" if half is not None else "")

    lines = [f"  {'':24}  {'PSNR, dB':>16}  {'SSIM':>16}"]
    for label, kind in (
        (f"mean of {sampled['samples']} samples", "mean"),
        (f"best of {sampled['samples']} samples", "best"),
    ):
        lines.append(
            f"  {label:24}  {interval(f'psnr_{kind}'):>16}  {interval(f'ssim_{kind}'):>16}"
        )
    zero = (number(sampled[f"{metric}_zero"]) for metric in ("psnr", "ssim"))
    lines.append("  {:24}  {:>16}  {:>16}".format("z = 0", *zero))
    lines.append(
        f"  at temperature {sampled['temperature']:g}; ±: 95% confidence; the samples differ by "
        f"{number(sampled['diversity'], 3)} grey levels of 255 on average"
    )
    return "\n".join(lines)
