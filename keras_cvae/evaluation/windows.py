"""Short windows of the future, each predicted from a true frame, with many samples each."""

from collections.abc import Iterator, Sequence
from typing import Any

import numpy as np

from keras_cvae.data.videos import Video
from keras_cvae.errors import UserError, check_at_least_1
from keras_cvae.evaluation.ball import ball_errors
from keras_cvae.evaluation.finite import finite_or_null
from keras_cvae.evaluation.rollouts import copy_baselines
from keras_cvae.evaluation.sampling import (
    AT_ONCE,
    Find,
    Samples,
    best_sample,
    confidence,
    sample_videos,
)
from keras_cvae.images import to_uint8
from keras_cvae.progress import Progress

COUNT, HORIZON, SAMPLES = 50, 25, 20


def windows_of(videos: Sequence[Video], count: int = COUNT, horizon: int = HORIZON) -> list[Video]:
    """Cuts short windows out of videos, evenly spread over all of them.

    The windows depend on the lengths of the videos alone, so that all models are evaluated on the
    same ones. They overlap only if the videos are too short for `count` disjoint ones. No image is
    copied.

    Args:
        videos: `keras_cvae.data.Video`s; those without true frames are left out.
        count: int >= 1, how many windows; there are fewer if the videos have fewer starts.
        horizon: int >= 1, the predicted frames of a window.

    Returns:
        list of `Video` of `horizon + 1` frames, the first of which is given, in the order of the
        videos. Their names are `NAME_START`.

    Raises:
        UserError: if no video has `horizon + 1` true frames, or a number is below 1.

    Example:
        >>> windows = windows_of(load_videos("builtin", "test"), count=50, horizon=25)
        >>> len(windows), windows[1].name, windows[1].frames.shape
        (50, 'test_0_67', (26, 32, 64, 3))
    """
    check_at_least_1(count=count, horizon=horizon)
    known = [video for video in videos if video.has_truth]
    starts = _lengths(known) - horizon
    if not (starts > 0).any():
        longest = max(map(int, _lengths(known)), default=0)
        raise UserError(
            f"The longest video with true frames has {longest} frames; a window of horizon="
            f"{horizon} needs {horizon + 1}. Give a smaller horizon, or longer videos."
        )
    starts = np.maximum(starts, 0)
    disjoint = _disjoint(known, horizon)
    room = disjoint if count <= disjoint.sum() else starts
    count = min(count, int(room.sum()))
    # Places at equal distances in all the room there is, and how many of them are in each video.
    places = (2 * np.arange(count) + 1) * int(room.sum()) // (2 * count)
    owners = np.searchsorted(np.cumsum(room), places, side="right")
    windows = []
    for video, of_video, last in zip(
        known, np.bincount(owners, minlength=len(known)), starts - 1, strict=True
    ):
        for number in range(of_video):
            start = int(last * number // (of_video - 1) if of_video > 1 else last // 2)
            shown = slice(start, start + horizon + 1)
            windows.append(Video(f"{video.name}_{start}", video.frames[shown], video.poses[shown]))
    return windows


def _lengths(videos: Sequence[Video]) -> np.ndarray:
    return np.array([len(video.frames) for video in videos], int)


def _disjoint(videos: Sequence[Video], horizon: int) -> np.ndarray:
    """How many windows without a common frame each video has."""
    return _lengths(videos) // (horizon + 1)


def evaluate_windows(
    model: Any,
    split: str,
    videos: Sequence[Video],
    count: int = COUNT,
    horizon: int = HORIZON,
    samples: int = SAMPLES,
    seed: int = 0,
    training_mean: np.ndarray | None = None,
    find: Find | None = None,
) -> tuple[dict, dict[str, np.ndarray]]:
    """Predicts windows from their first frames and compares them with the truth.

    The protocol of SVG (Denton & Fergus 2018, arXiv:1802.07687), SAVP (Lee et al. 2018,
    arXiv:1804.01523) and SRVP (Franceschi et al. 2020, arXiv:2002.09219): many samples of a short
    future, and of each window the best one by the truth, for each metric by itself. Memory does not
    grow with the number of windows.

    Args:
        model: `CVAE`.
        split: how the progress line calls the videos.
        videos: `keras_cvae.data.Video`s, see `windows_of`.
        count, horizon: of the windows, see `windows_of`.
        samples: int >= 1, of each window at temperature 1.
        seed: int >= 0, of the noise; all windows have noise of their own.
        training_mean: (H, W, 3) mean training frame for its baseline, or `None`.
        find: function (N, H, W, 3) uint8 -> (N, 2) that finds the ball, see
            `keras_cvae.evaluation.ball.ball_finder`, or `None`.

    Returns:
        `(metrics, curves)`. The metrics are means over windows and frames; `NAME_ci` is half the
        95% confidence interval over the windows, `None` for a single one. What is not finite is
        `None`.

        - `count`, `horizon`, `samples`; `overlap`, whether windows have frames in common. The
          intervals are too narrow then, because they take the windows as independent.
        - `psnr` (dB) and `ssim` at temperature 0, `mean_psnr` and `mean_ssim` over the samples,
          `best_psnr` and `best_ssim` of the best sample, `posterior_psnr` with z = the mean of the
          posterior; all with `_ci`. `gap`, `gap_ci`: `posterior_psnr - psnr`. `diversity`, see
          `keras_cvae.evaluation.sampling.pairwise_distance`.
        - `kl_nats`, `kl_nats_ci`: KL(q || p) per frame in nats, p given the true previous frame.
        - `first_frame_psnr` and so on, see `keras_cvae.evaluation.copy_baselines`.
        - With `find`, `ball_error`, `ball_error_ci`, `ball_found` at temperature 0 and the same
          with `mean_` over the samples, see `keras_cvae.evaluation.ball.ball_errors`.

        The curves are (horizon,) arrays of the means over the windows per predicted frame, with the
        names of the metrics, those of the baselines without `_psnr`.

    Raises:
        UserError: as `windows_of`, and for samples or a seed out of range.

    Example:
        >>> metrics, curves = evaluate_windows(model, "val", load_videos("builtin", "val"))
        >>> metrics["best_psnr"], curves["best_psnr"].shape
        (30.1, (25,))
    """
    check_at_least_1(samples=samples)
    windows = windows_of(videos, count, horizon)
    zero, posterior, sampled, kl = [], [], [], []
    label = f"{len(windows)} windows of {split}"
    # A sample that diverges is no reason to lose the others: its numbers become `None`.
    with (
        Progress(len(windows) * horizon * (samples + 2), label) as progress,
        np.errstate(invalid="ignore"),
    ):
        for group in _groups(windows, AT_ONCE):
            zero += sample_videos(model, group, 1, 0.0, seed, progress, find=find)
            z = np.stack([model.infer_latents(w.frames, w.poses)[0] for w in group])
            posterior += sample_videos(model, group, 1, 0.0, seed, progress, z=z)
            kl += [model.compare_to_prior(window.frames, window.poses)[1] for window in group]
        for number, group in enumerate(_groups(windows, max(1, AT_ONCE // samples))):
            noise = int(np.random.SeedSequence([seed, number]).generate_state(1)[0])
            sampled += sample_videos(model, group, samples, 1.0, noise, progress, find=find)
        metrics, curves = _summary(zero, posterior, sampled, np.stack(kl))
        baselines = [copy_baselines(window.frames, training_mean) for window in windows]
        for name in baselines[0]:
            curves[name] = np.mean([each[name] for each in baselines], axis=0)
            metrics[f"{name}_psnr"] = float(curves[name].mean())
        if find is not None:
            truths = [find(to_uint8(window.frames[1:])) for window in windows]
            for start, found in (("", zero), ("mean_", sampled)):
                centres = [each.centres for each in found if each.centres is not None]
                numbers, by_frame = ball_errors(truths, centres)
                metrics |= {start + name: value for name, value in numbers.items()}
                curves |= {start + name: curve for name, curve in by_frame.items()}
    known = [video for video in videos if video.has_truth]
    about = {
        "count": len(windows),
        "horizon": horizon,
        "samples": samples,
        "overlap": len(windows) > int(_disjoint(known, horizon).sum()),
    }
    return finite_or_null({**about, **metrics}), curves


def _groups(windows: Sequence[Video], size: int) -> Iterator[Sequence[Video]]:
    return (windows[start : start + size] for start in range(0, len(windows), size))


def _summary(
    zero: Sequence[Samples],
    posterior: Sequence[Samples],
    sampled: Sequence[Samples],
    kl: np.ndarray,
) -> tuple[dict, dict[str, np.ndarray]]:
    """Metrics and curves of what was predicted of each window; `kl` is (windows, horizon)."""
    metrics: dict[str, Any] = {}
    curves: dict[str, np.ndarray] = {}

    def note(name: str, by_window: np.ndarray) -> None:
        """A metric, its interval and its curve, of (windows, horizon) values."""
        curves[name] = by_window.mean(axis=0)
        metrics[name] = float(curves[name].mean())
        metrics[f"{name}_ci"] = confidence(by_window.mean(axis=1))

    for metric in ("psnr", "ssim"):
        note(metric, np.stack([getattr(each, metric)[0] for each in zero]))
        values = [getattr(each, metric) for each in sampled]
        note(f"mean_{metric}", np.stack([each.mean(axis=0) for each in values]))
        note(f"best_{metric}", np.stack([best_sample(each) for each in values]))
    note("posterior_psnr", np.stack([each.psnr[0] for each in posterior]))
    note("gap", np.stack([p.psnr[0] - z.psnr[0] for p, z in zip(posterior, zero, strict=True)]))
    note("kl_nats", kl)
    curves["diversity"] = np.mean([each.diversity for each in sampled], axis=0)
    metrics["diversity"] = float(curves["diversity"].mean())
    return metrics, curves
