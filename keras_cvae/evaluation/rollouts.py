"""Long rollouts from the prior against the truth, with the copy-frame baselines."""

from collections.abc import Sequence
from typing import Any, NamedTuple

import numpy as np

from keras_cvae.data.videos import Video
from keras_cvae.errors import UserError
from keras_cvae.images import scaled, white
from keras_cvae.metrics import frame_psnr, frame_ssim
from keras_cvae.predictor import each_frame
from keras_cvae.progress import Progress


class Evaluation(NamedTuple):
    """How well one video was predicted from its first frame. Frame 0, the given one, is left out.

    Args:
        name: the video's name.
        prediction: (T, H, W, 3) float32, frame 0 being the given one.
        psnr: (T-1,) dB of frames 1..T-1.
        ssim: (T-1,); NaN where frames are smaller than the 11 x 11 window.
        baselines: dict name -> (T-1,) dB, what copying a frame scores.
    """

    name: str
    prediction: np.ndarray
    psnr: np.ndarray
    ssim: np.ndarray
    baselines: dict[str, np.ndarray]


def mean_frame(videos: Sequence[Video]) -> np.ndarray:
    """The mean of all frames of some videos: the best constant prediction.

    Args:
        videos: `keras_cvae.data.Video`s of one frame size.

    Returns:
        (H, W, 3) float64 in [0, 1].
    """
    total: Any = 0.0
    for video in videos:
        total = total + video.frames.sum(axis=0, dtype="float64") / white(video.frames.dtype)
    return total / sum(len(video.frames) for video in videos)


def copy_baselines(
    frames: np.ndarray, training_mean: np.ndarray | None = None
) -> dict[str, np.ndarray]:
    """PSNR per frame of predictions that only copy.

    Args:
        frames: (T, H, W, 3), the true frames.
        training_mean: (H, W, 3) in [0, 1], the mean training frame, or `None` to leave it out.

    Returns:
        dict of (T-1,) arrays in dB for frames 1..T-1: `first_frame` repeats the given frame,
        `mean_frame` the mean training frame; `previous_true_frame` copies the true frame before,
        and so sees the truth, which a prediction does not.
    """
    curves = {"first_frame": frame_psnr(frames[1:], frames[:1])}
    if training_mean is not None:
        curves["mean_frame"] = frame_psnr(frames[1:], training_mean[None])
    curves["previous_true_frame"] = frame_psnr(frames[1:], frames[:-1])
    return curves


def check_predictable(videos: Sequence[Video], split: str) -> None:
    """Checks that there is something to predict of every video: a frame after the given one.

    Args:
        videos: `keras_cvae.data.Video`s, with their true frames or without.
        split: how an error calls them.

    Raises:
        UserError: if a video has a single frame.
    """
    for video in videos:
        if len(video.poses) < 2:
            raise UserError(
                f"The {split} video {video.name} has a single frame, the given one, so that there "
                "is nothing to predict. Give it at least 2 frames, or remove it."
            )


def predict_videos(
    model: Any,
    videos: Sequence[Video],
    temperature: float | None = None,
    seed: int | None = 0,
    max_frames: int | None = None,
    label: str = "predicting",
) -> list[np.ndarray]:
    """Predicts videos from their first frames; those of equal length go through in one batch.

    Args:
        model: `CVAE` or `keras_cvae.inference.Predictor`.
        videos: `keras_cvae.data.Video`s.
        temperature: float >= 0, or `None` for the model's own.
        seed: int, of the prior noise.
        max_frames: int or `None`, predict at most so many frames of each.
        label: what the progress line calls the work.

    Returns:
        list of (T, H, W, 3) float32 arrays in the order of the videos; frame 0 is the given one.
        A model that diverges gives NaN, see `keras_cvae.evaluation.finite.check_prediction`.
    """
    most = np.inf if max_frames is None else max_frames + 1
    lengths = [int(min(len(video.poses), most)) for video in videos]
    predictions: list[Any] = [None] * len(videos)
    with Progress(sum(lengths) - len(lengths), label) as progress:
        for length in sorted(set(lengths)):
            chosen = [i for i, other in enumerate(lengths) if other == length]
            first = np.stack([videos[i].frames[0] for i in chosen])
            poses = np.stack([videos[i].poses[:length] for i in chosen])
            batch = np.empty(poses.shape, "float32")
            batch[:, 0] = scaled(first)
            pieces = model.predict_pieces(first, poses, temperature, seed)
            for t, frame in enumerate(each_frame(pieces), start=1):
                batch[:, t] = frame
                progress.update(len(chosen))
            for i, prediction in zip(chosen, batch, strict=True):
                predictions[i] = prediction
    return predictions


def evaluate_videos(
    model: Any,
    videos: Sequence[Video],
    training_mean: np.ndarray | None = None,
    temperature: float | None = None,
    seed: int | None = 0,
    label: str = "predicting",
) -> list[Evaluation]:
    """Predicts videos from their first frames and compares them with the truth.

    Args:
        model: `CVAE` or `keras_cvae.inference.Predictor`.
        videos: `keras_cvae.data.Video`s, all with their true frames.
        training_mean: (H, W, 3) mean training frame for the baseline, or `None`.
        temperature: float >= 0, or `None` for the model's own.
        seed: int, of the prior noise.
        label: what the progress line calls the work.

    Returns:
        list of `Evaluation`, in the order of the videos.
    """
    predictions = predict_videos(model, videos, temperature, seed, label=label)
    return [
        Evaluation(
            name=video.name,
            prediction=prediction,
            psnr=frame_psnr(video.frames[1:], prediction[1:]),
            ssim=frame_ssim(video.frames[1:], prediction[1:]),
            baselines=copy_baselines(video.frames, training_mean),
        )
        for video, prediction in zip(videos, predictions, strict=True)
    ]
