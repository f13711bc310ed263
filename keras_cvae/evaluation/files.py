"""An evaluation as files: csv, plots, GIF."""

import csv
import os
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np

from keras_cvae import plots, video
from keras_cvae.data.videos import Video
from keras_cvae.errors import UserError
from keras_cvae.evaluation.rollouts import Evaluation
from keras_cvae.files import written_whole
from keras_cvae.runs import BASELINES

GIF_FRAMES = 240  # a longer GIF is many megabytes


def write_evaluation(
    folder: str | os.PathLike,
    split: str,
    evaluations: Sequence[Evaluation],
    videos: Sequence[Video],
    fps: float = 24,
    overwrite: bool = False,
) -> list[Path]:
    """Writes what an evaluation shows of a split.

    `SPLIT_psnr_per_frame.csv` (video, frame, PSNR and SSIM of the prediction, PSNR of the copy
    baselines), `SPLIT_psnr_per_frame.png` (the mean over the videos per frame), and of the first
    video `SPLIT_film_strip.png`, `.svg`, `.csv` and `SPLIT.gif` (truth, prediction, pose, error).

    Args:
        folder: str or `Path`, an existing folder.
        split: str, how the files are called.
        evaluations: list of `keras_cvae.evaluation.Evaluation`.
        videos: list of `keras_cvae.data.Video` that they are of.
        fps: frames per second of the GIF.
        overwrite: bool, whether to replace files of the same name.

    Returns:
        list of `Path`, what was written.

    Raises:
        UserError: if one of the files exists and `overwrite` is false.
    """
    folder = Path(folder)
    written = [folder / f"{split}_{name}" for name in ("psnr_per_frame.csv", "psnr_per_frame.png")]
    written += [folder / f"{split}_film_strip.{ending}" for ending in ("png", "svg", "csv")]
    written.append(folder / f"{split}.gif")
    _check_absent(written, overwrite)
    _write_csv(written[0], evaluations)
    shortest = min(len(e.psnr) for e in evaluations)
    curves = {"prediction": np.mean([e.psnr[:shortest] for e in evaluations], axis=0)}
    for name in evaluations[0].baselines:
        label = name.replace("_", " ")
        curves[label] = np.mean([e.baselines[name][:shortest] for e in evaluations], axis=0)
    plots.plot_psnr_per_frame(curves, written[1], overwrite=overwrite)
    frames, prediction, poses = videos[0].frames, evaluations[0].prediction, videos[0].poses
    last = len(prediction) - 1
    shown = sorted({round(last * share) for share in (0, 0.02, 0.1, 0.25, 0.5, 0.75, 1)})
    plots.plot_film_strip(frames, prediction, poses, shown, written[2], overwrite=overwrite)
    shown_first = slice(GIF_FRAMES)
    panels = video.side_by_side(frames[shown_first], prediction[shown_first], poses[shown_first])
    video.write_video(written[-1], panels, fps=fps, overwrite=overwrite)
    return written


def write_prediction(
    folder: str | os.PathLike,
    split: str,
    prediction: np.ndarray,
    given: Video,
    overwrite: bool = False,
) -> Path:
    """Writes `SPLIT.gif` of a video whose true frames are unknown: prediction and pose.

    Args:
        folder: an existing folder.
        split: how the file is called.
        prediction: (T, H, W, 3), of at least the frames that are shown, `GIF_FRAMES` at most.
        given: the video that it is of.
        overwrite: whether to replace a file of the same name.

    Returns:
        The path.

    Raises:
        UserError: if the file exists and `overwrite` is false.
    """
    path = Path(folder) / f"{split}.gif"
    shown = slice(min(len(prediction), GIF_FRAMES))
    panels = video.side_by_side(None, prediction[shown], given.poses[shown])
    video.write_video(path, panels, overwrite=overwrite)
    return path


def write_samples(
    folder: str | os.PathLike,
    split: str,
    samples: np.ndarray,
    given: Video,
    overwrite: bool = False,
) -> Path:
    """Writes `SPLIT_samples.gif`: the truth and samples of a video, side by side.

    Args:
        folder: an existing folder.
        split: how the file is called.
        samples: (N, T, H, W, 3), of the first frames of the video; frame 0 is the given one.
        given: the video that they are of, with its true frames.
        overwrite: whether to replace a file of the same name.

    Returns:
        The path.

    Raises:
        UserError: if the file exists and `overwrite` is false.
    """
    path = Path(folder) / f"{split}_samples.gif"
    shown = slice(min(samples.shape[1], GIF_FRAMES))
    named = {"truth": given.frames[shown]}
    for number, sample in enumerate(samples, start=1):
        named[f"sample {number}"] = sample[shown]
    panels = video.in_a_row(named, numbered="truth")
    video.write_video(path, panels, overwrite=overwrite)
    return path


def write_windows(
    folder: str | os.PathLike,
    split: str,
    curves: Mapping[str, np.ndarray],
    samples: int,
    overwrite: bool = False,
) -> list[Path]:
    """Writes the curves of `evaluate_windows`.

    `SPLIT_windows.csv` has a row for each predicted frame with all curves, and `SPLIT_windows.png`
    shows the PSNR: temperature 0, mean and best of the samples, the posterior's z and the copy
    baselines.

    Args:
        folder: an existing folder.
        split: how the files are called.
        curves: name -> (F,), see `keras_cvae.evaluation.windows.evaluate_windows`.
        samples: how many there are of each window.
        overwrite: whether to replace files of the same name.

    Returns:
        The two paths.

    Raises:
        UserError: if one of the files exists and `overwrite` is false.
    """
    written = [Path(folder) / f"{split}_windows.{ending}" for ending in ("csv", "png")]
    _check_absent(written, overwrite)
    with written_whole(written[0]) as partial, open(partial, "w", newline="") as file:
        writer = csv.writer(file)
        writer.writerow(["frame", *curves])
        for t, values in enumerate(zip(*curves.values(), strict=True), start=1):
            writer.writerow([t, *(f"{value:.6g}" for value in values)])
    labels = {
        "psnr": "temperature 0",
        "mean_psnr": f"mean of {samples} samples",
        "best_psnr": f"best of {samples} samples",
        "posterior_psnr": "posterior's z",
    }
    labels |= {name: name.replace("_", " ") for name in BASELINES if name in curves}
    shown: dict[str, Any] = {label: curves[name] for name, label in labels.items()}
    plots.plot_psnr_per_frame(shown, written[1], overwrite=overwrite)
    return written


def _check_absent(paths: Sequence[Path], overwrite: bool) -> None:
    if not overwrite and (there := [path for path in paths if os.path.lexists(path)]):
        raise UserError(f"{there[0]} exists already; give another folder, or pass overwrite=True.")


def _write_csv(path, evaluations):
    names = list(evaluations[0].baselines)
    with written_whole(path) as partial, open(partial, "w", newline="") as file:
        writer = csv.writer(file)
        writer.writerow(["video", "frame", "psnr", "ssim", *names])
        for evaluation in evaluations:
            columns = [evaluation.psnr, evaluation.ssim]
            columns += [evaluation.baselines[name] for name in names]
            for t, values in enumerate(zip(*columns, strict=True), start=1):
                writer.writerow([evaluation.name, t, *(f"{value:.6g}" for value in values)])
