"""Many samples of the future: their mean, the best of them, and how much they differ."""

from collections.abc import Callable, Sequence
from typing import Any, NamedTuple, TypeAlias

import numpy as np

from keras_cvae.data.videos import Video
from keras_cvae.evaluation.finite import finite_or_null
from keras_cvae.images import to_uint8
from keras_cvae.metrics import frame_psnr, frame_ssim
from keras_cvae.predictor import each_frame
from keras_cvae.progress import Progress

KEPT = 4  # samples of which frames are kept
AT_ONCE = 64  # videos in a batch

Find: TypeAlias = Callable[[np.ndarray], np.ndarray]  # images (N, H, W, 3) uint8 -> points (N, 2)


class Samples(NamedTuple):
    """Rollouts of one video with different noise.

    Args:
        name: str, of the video.
        psnr: (N, T-1) dB, of each sample's predicted frames.
        ssim: (N, T-1); NaN where frames are smaller than the 11 x 11 window.
        diversity: (T-1,), see `pairwise_distance`.
        frames: (K, F, H, W, 3) uint8, the first frames of the first samples, as far as they were
            to be kept; frame 0 is the given one.
        centres: (N, T-1, 2), what `find` found in the predicted frames, if it was given.
    """

    name: str
    psnr: np.ndarray
    ssim: np.ndarray
    diversity: np.ndarray
    frames: np.ndarray | None = None
    centres: np.ndarray | None = None


def sample_videos(
    model: Any,
    videos: Sequence[Video],
    samples: int,
    temperature: float,
    seed: int = 0,
    progress: Progress | None = None,
    keep_frames: int = 0,
    z: np.ndarray | None = None,
    find: Find | None = None,
) -> list[Samples]:
    """Predicts videos of one length many times from their first frames, frame after frame.

    All samples of a frame are there at once, in batches of at most `AT_ONCE` videos. Nothing is
    kept of a frame but its numbers, and of a few samples the first frames, so that memory does not
    grow with the length.

    Args:
        model: `CVAE` or `Predictor`.
        videos: `keras_cvae.data.Video`s with their true frames, all of one length and size.
        samples: int >= 1, of each video.
        temperature: float >= 0, scale of the prior noise.
        seed: int >= 0, of the noise.
        progress: counts predicted frames of all samples.
        keep_frames: how many frames to keep of the first samples of the first video, `KEPT` at
            most, for a picture.
        z: (videos x samples, T-1, *latent_shape) latents in place of the prior's, the samples of a
            video one after another, or `None`.
        find: function (N, H, W, 3) uint8 -> (N, 2), what to find in each predicted frame, or
            `None`.

    Returns:
        list of `Samples`, in the order of the videos.
    """
    count, length = len(videos), len(videos[0].poses)
    first = np.repeat(np.stack([video.frames[0] for video in videos]), samples, axis=0)
    # The poses of a single video are not copied.
    poses = np.stack([v.poses for v in videos]) if count > 1 else videos[0].poses[None]
    poses = np.broadcast_to(poses[:, None], (count, samples, *poses.shape[1:]))
    poses = poses.reshape(-1, *poses.shape[2:])
    streams = []
    for number, start in enumerate(range(0, len(first), AT_ONCE)):
        part = slice(start, start + AT_ONCE)
        noise = (temperature, _part_seed(seed, number), *([] if z is None else [z[part]]))
        streams.append(each_frame(model.predict_pieces(first[part], poses[part], *noise)))

    numbers: dict[str, list] = {"psnr": [], "ssim": [], "diversity": [], "centres": []}
    kept = [to_uint8(first[: min(samples, KEPT)])] if keep_frames else []
    for t, parts in zip(range(1, length), zip(*streams, strict=True), strict=True):
        flat = np.concatenate(parts)
        predicted = flat.reshape(count, samples, *flat.shape[1:])
        truth = np.stack([video.frames[t] for video in videos])
        numbers["psnr"].append(frame_psnr(truth[:, None], predicted))
        ssim = frame_ssim(np.repeat(truth, samples, axis=0), flat)
        numbers["ssim"].append(ssim.reshape(count, samples))
        numbers["diversity"].append([pairwise_distance(images) for images in predicted])
        if find is not None:
            numbers["centres"].append(find(to_uint8(flat)).reshape(count, samples, 2))
        if len(kept) < keep_frames:
            kept.append(to_uint8(predicted[0, :KEPT]))
        if progress is not None:
            progress.update(len(flat))
    psnr, ssim = (np.stack(numbers[name], axis=2) for name in ("psnr", "ssim"))
    diversity = np.array(numbers["diversity"])
    centres = None if find is None else np.stack(numbers["centres"], axis=2)
    return [
        Samples(
            *(video.name, psnr[i], ssim[i], diversity[:, i]),
            frames=np.stack(kept, 1) if kept and i == 0 else None,
            centres=None if centres is None else centres[i],
        )
        for i, video in enumerate(videos)
    ]


def _part_seed(seed: int, number: int) -> Any:
    """The seed of a batch: the first has the given one, the others have noise of their own."""
    return seed if number == 0 else np.random.SeedSequence([seed, number]).generate_state(1)[0]


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


def best_sample(values: np.ndarray) -> np.ndarray:
    """The sample of the highest mean over its frames.

    Args:
        values: (N, T-1), a metric of which more is better.

    Returns:
        (T-1,), its values.
    """
    return values[values.mean(axis=1).argmax()]


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
        bests = np.array([best_sample(getattr(each, metric)).mean() for each in sampled])
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
    """Mean and best of N samples of each video, and the rollout at temperature 0.

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
        and `ssim_zero`, the means of the rollout at temperature 0; `None` where a sample is not
        finite. `shown` is (K, F, H, W, 3) uint8, the first samples of the first video.
    """
    temperature = 1.0 if temperature is None else temperature
    frames = sum(len(video.poses) - 1 for video in videos)
    label = f"sampling {split}"
    # A sample that diverges is no reason to lose the others: its numbers become `None`.
    with Progress((samples + 1) * frames, label) as progress, np.errstate(invalid="ignore"):
        sampled: list[Samples] = []
        for video in videos:
            keep = 0 if sampled else keep_frames
            noise = temperature, seed, progress
            sampled += sample_videos(model, [video], samples, *noise, keep_frames=keep)
        zero = [sample_videos(model, [v], 1, 0.0, progress=progress)[0] for v in videos]
        result = {**summarise(sampled), "temperature": temperature}
        of_zero = summarise(zero)
    result |= {f"{metric}_zero": of_zero[f"{metric}_mean"] for metric in ("psnr", "ssim")}
    shown = sampled[0].frames
    assert shown is not None
    return finite_or_null(result), shown
