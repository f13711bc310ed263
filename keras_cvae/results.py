"""An evaluation as files: csv, plots, film."""

import csv
import os
from pathlib import Path

import numpy as np

from keras_cvae import plots, video
from keras_cvae.data import has_split, load_videos
from keras_cvae.evaluation import BASELINES, evaluate_videos, predict_videos
from keras_cvae.files import written_whole
from keras_cvae.latent_use import latent_use
from keras_cvae.progress import Progress
from keras_cvae.submission import write_submission

FILM_FRAMES = 240  # of the GIF; a longer one is many megabytes


def write_evaluation(folder, split, evaluations, videos, fps=24, overwrite=False):
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
        ValueError: if one of the files exists and `overwrite` is false.
    """
    folder = Path(folder)
    written = [folder / f"{split}_{name}" for name in ("psnr_per_frame.csv", "psnr_per_frame.png")]
    written += [folder / f"{split}_film_strip.{ending}" for ending in ("png", "svg", "csv")]
    written.append(folder / f"{split}.gif")
    if not overwrite and (there := [path for path in written if os.path.lexists(path)]):
        raise ValueError(f"{there[0]} exists already; give another folder, or pass overwrite=True.")
    _write_csv(written[0], evaluations)
    shortest = min(len(e.psnr) for e in evaluations)
    curves = {"prediction": np.mean([e.psnr[:shortest] for e in evaluations], axis=0)}
    for name in _names(evaluations):
        label = name.replace("_", " ")
        curves[label] = np.mean([e.baselines[name][:shortest] for e in evaluations], axis=0)
    plots.plot_psnr_per_frame(curves, written[1], overwrite=overwrite)
    frames, prediction, poses = videos[0].frames, evaluations[0].prediction, videos[0].poses
    last = len(prediction) - 1
    shown = sorted({round(last * share) for share in (0, 0.02, 0.1, 0.25, 0.5, 0.75, 1)})
    plots.plot_film_strip(frames, prediction, poses, shown, written[2], overwrite=overwrite)
    film = slice(FILM_FRAMES)
    panels = video.side_by_side(frames[film], prediction[film], poses[film])
    video.write_video(written[-1], panels, fps=fps, overwrite=overwrite)
    return written


def true_videos(data, split, frame_size, cache=None):
    """The videos of a split of which all true frames are known.

    Args:
        data: `"builtin"` or a folder.
        split: `"val"` or `"test"`.
        frame_size: (height, width).
        cache: folder for decoded images, or `None`.

    Returns:
        list of `keras_cvae.data.Video`, empty if there is no such split or no truth to it.
    """
    if not has_split(data, split):
        return []
    return [v for v in load_videos(data, split, frame_size, cache) if v.has_truth]


def evaluate_with_progress(model, split, videos, training_mean, temperature=None, seed=0):
    """`evaluate_videos` for people who watch."""
    with Progress(sum(len(video.poses) - 1 for video in videos), f"predicting {split}") as progress:
        return evaluate_videos(model, videos, training_mean, temperature, seed, progress)


def latent_use_with_progress(model, videos):
    """`latent_use` for people who watch."""
    frames = 2 * sum(len(video.poses) - 1 for video in videos)
    with Progress(frames, "posterior and its roll-out") as progress:
        return latent_use(model, videos, progress)


def write_submission_with_progress(
    path, model, data, frame_size, temperature=None, seed=0, evaluations=()
):
    """Predicts all test sequences, with truth or without, and writes them for the benchmark.

    Args:
        path: `Path`, the new csv file.
        model: `CVAE`.
        data: `"builtin"` or a folder.
        frame_size: (height, width).
        temperature, seed: as in `predict_videos`.
        evaluations: list of `Evaluation` of test sequences, which are not predicted again.
    """
    videos = load_videos(data, "test", frame_size)
    known = {evaluation.name: evaluation.prediction for evaluation in evaluations}
    rest = [video for video in videos if video.name not in known]
    with Progress(sum(len(video.poses) - 1 for video in rest), "predicting test") as progress:
        predicted = predict_videos(model, rest, temperature, seed, progress=progress)
    known |= {video.name: each for video, each in zip(rest, predicted, strict=True)}
    predictions = [known[video.name] for video in videos]
    with Progress(sum(map(len, predictions)), f"writing {path}") as progress:
        write_submission(path, predictions, lambda: progress.update(1))


def summary(evaluations):
    """Means over all predicted frames of all videos.

    Args:
        evaluations: list of `keras_cvae.evaluation.Evaluation`.

    Returns:
        dict of floats: `psnr` in dB, `ssim`, and the PSNR of each baseline under its name.
    """

    def mean(values):
        return float(np.mean(np.concatenate(values)))

    means = {
        "psnr": mean([e.psnr for e in evaluations]),
        "ssim": mean([e.ssim for e in evaluations]),
    }
    for name in _names(evaluations):
        means[name] = mean([e.baselines[name] for e in evaluations])
    return means


def _names(evaluations):
    return [name for name in BASELINES if name in evaluations[0].baselines]


def _write_csv(path, evaluations):
    names = _names(evaluations)
    with written_whole(path) as partial, open(partial, "w", newline="") as file:
        writer = csv.writer(file)
        writer.writerow(["video", "frame", "psnr", "ssim", *names])
        for evaluation in evaluations:
            columns = [evaluation.psnr, evaluation.ssim]
            columns += [evaluation.baselines[name] for name in names]
            for t, values in enumerate(zip(*columns, strict=True), start=1):
                writer.writerow([evaluation.name, t, *(f"{value:.6g}" for value in values)])
