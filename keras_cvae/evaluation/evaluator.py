"""The evaluation of a model on validation and test videos: files, and one flat dict of results."""

import os
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np

from keras_cvae import runs
from keras_cvae.data.sources import has_split, load_videos
from keras_cvae.data.videos import Video
from keras_cvae.errors import UserError, check_at_least_1
from keras_cvae.evaluation.ball import ball_finder
from keras_cvae.evaluation.files import (
    GIF_FRAMES,
    write_evaluation,
    write_prediction,
    write_samples,
    write_windows,
)
from keras_cvae.evaluation.finite import check_prediction, finite_or_null
from keras_cvae.evaluation.latent_use import latent_use
from keras_cvae.evaluation.rollouts import (
    Evaluation,
    check_predictable,
    evaluate_videos,
    mean_frame,
    predict_videos,
)
from keras_cvae.evaluation.sampling import Find, evaluate_samples
from keras_cvae.evaluation.submission import write_submission
from keras_cvae.evaluation.windows import HORIZON, SAMPLES, evaluate_windows, windows_of
from keras_cvae.files import check_new, new_folder, write_json
from keras_cvae.images import chosen_frame_size


def evaluate_splits(
    model: Any,
    videos: Mapping[str, Sequence[Video]],
    folder: Path,
    training_mean: np.ndarray | None = None,
    temperature: float | None = None,
    seed: int = 0,
    samples: int | None = None,
    overwrite: bool = False,
    windows: int | None = None,
    horizon: int = HORIZON,
    find: Find | None = None,
) -> tuple[dict, dict[str, list[Evaluation]]]:
    """Predicts the videos of some splits, compares them with the truth and writes what it finds.

    Where no video of a split has true frames, the first is predicted and shown, and that is all.

    Args:
        model: `CVAE`.
        videos: by split, `"val"` and `"test"`; a split may be empty.
        folder: an existing folder; `write_evaluation`, or `write_prediction` where there is no
            truth, writes into it.
        training_mean: (H, W, 3) mean training frame for the baseline, or `None`.
        temperature: float >= 0, scale of the prior noise, or `None` for the model's own.
        seed: int, of the prior noise.
        samples: int >= 1, also evaluate so many samples of each video, and show some of the first
            (see `write_samples`), or `None`. With `windows`, so many of each window instead, 20 for
            `None`.
        overwrite: whether to replace files of the same name.
        windows: int >= 1, also evaluate so many short windows at the temperatures 0 and 1, see
            `evaluate_windows` and `write_windows`, or `None`.
        horizon: int >= 1, the predicted frames of a window.
        find: function that finds the ball in images, see `evaluate_windows`, or `None`.

    Returns:
        `(metrics, evaluations)`. The metrics are flat: `val_psnr` (dB) and `val_ssim`, means over
        all predicted frames; `baselines`, a dict of dB; `val_kl_nats` and so on, see `latent_use`;
        with samples `val_samples_psnr_mean` and so on, see `evaluate_samples`; with windows
        `val_windows_psnr` and so on, see `evaluate_windows`; the same for `test` but for the
        latent, the baselines as `test_baselines`. What is not finite is `None`, such as the SSIM of
        frames smaller than its window. The evaluations are by split.

    Raises:
        NotFiniteError: if a prediction of a split is not finite; of that split nothing is written.
    """
    metrics: dict[str, Any] = {}
    evaluations: dict[str, list[Evaluation]] = {}
    for split, of_split in videos.items():
        known = [video for video in of_split if video.has_truth]
        label = f"predicting {split}"
        if not known:
            for first in of_split[:1]:
                only = predict_videos(model, [first], temperature, seed, GIF_FRAMES - 1, label)
                check_prediction(only[0], first.name)
                write_prediction(folder, split, only[0], first, overwrite=overwrite)
            continue
        found = evaluate_videos(model, known, training_mean, temperature, seed, label)
        for each in found:
            check_prediction(each.prediction, each.name)
        write_evaluation(folder, split, found, known, overwrite=overwrite)
        evaluations[split] = found
        metrics[f"{split}_psnr"] = _mean([each.psnr for each in found])
        metrics[f"{split}_ssim"] = _mean([each.ssim for each in found])
        metrics["baselines" if split == "val" else f"{split}_baselines"] = {
            name: _mean([each.baselines[name] for each in found]) for name in found[0].baselines
        }
        further = {}
        if split == "val":
            further = {f"{split}_{name}": v for name, v in latent_use(model, known).items()}
        if windows:
            count = samples or SAMPLES
            found_in, curves = evaluate_windows(
                *(model, split, known, windows, horizon, count, seed, training_mean, find)
            )
            write_windows(folder, split, curves, count, overwrite=overwrite)
            further |= {f"{split}_windows_{name}": value for name, value in found_in.items()}
        elif samples:
            sampled, shown = evaluate_samples(
                model, split, known, samples, temperature, seed, keep_frames=GIF_FRAMES
            )
            write_samples(folder, split, shown, known[0], overwrite=overwrite)
            further |= {f"{split}_samples_{name}": value for name, value in sampled.items()}
        metrics |= further
    return finite_or_null(metrics), evaluations


def evaluate_data(
    model: Any,
    data: str | os.PathLike,
    out: str | os.PathLike,
    frame_size: tuple[int, int] | None = None,
    temperature: float | None = None,
    seed: int = 0,
    samples: int | None = None,
    submission: str | os.PathLike | None = None,
    windows: int | None = None,
    horizon: int | None = None,
) -> dict:
    """Evaluates a model on the validation and test videos of some data, into a new folder.

    Into `out` go `metrics.json` and, for each split, what `evaluate_splits` writes.

    Args:
        model: `CVAE`.
        data: `"builtin"`, `"builtin-ball"` or a folder in the dance-lab layout.
        out: path of a new folder, written whole or not at all.
        frame_size: (height, width) of the frames; `None` is that of the model's training.
        temperature, seed, samples: as for `evaluate_splits`; samples are at `temperature` or 1.
        submission: path of a new csv file for all test sequences, see `write_submission`, or
            `None`.
        windows: int >= 1, also evaluate so many short windows, see `evaluate_splits`, or `None`.
        horizon: int >= 1, the predicted frames of a window, 25 for `None`.

    Returns:
        dict, what `metrics.json` holds: see `evaluate_splits`, with the `temperature` and the
        `frame_size` of the predictions.

    Raises:
        UserError: for paths or values that will not do, for data with nothing to predict, and for
            predictions that are not finite. Nothing is written then.
    """
    check_evaluation(data, out, samples, submission, windows, horizon)
    horizon = HORIZON if horizon is None else horizon
    size = chosen_frame_size(frame_size, model.frame_size)
    there = [split for split in ("val", "test") if has_split(data, split)]
    if not there:
        raise UserError(f"{data} has neither a val split nor a test split.")
    videos = {split: load_videos(data, split, size) for split in there}
    for split, of_split in videos.items():
        check_predictable(of_split, split)
        if windows and any(video.has_truth for video in of_split):
            try:
                windows_of(of_split, windows, horizon)  # an error comes before any prediction
            except UserError as error:
                raise UserError(f"{split}: {error}") from error
    find = ball_finder(data) if windows else None
    training_mean = None
    if has_split(data, "train"):
        training_mean = mean_frame(load_videos(data, "train", size))
    with new_folder(out) as folder:
        metrics, evaluations = evaluate_splits(
            *(model, videos, folder, training_mean, temperature, seed, samples),
            windows=windows,
            horizon=horizon,
            find=find,
        )
        if submission:
            known = {each.name: each.prediction for each in evaluations.get("test", ())}
            rest = [video for video in videos["test"] if video.name not in known]
            predicted = predict_videos(model, rest, temperature, seed, label="predicting test")
            known |= {video.name: each for video, each in zip(rest, predicted, strict=True)}
            write_submission(submission, [known[video.name] for video in videos["test"]])
        metrics["temperature"] = model.temperature if temperature is None else temperature
        metrics["frame_size"] = list(size)
        write_json(folder / runs.METRICS, metrics)
    return metrics


def check_evaluation(
    data: str | os.PathLike,
    out: str | os.PathLike,
    samples: int | None = None,
    submission: str | os.PathLike | None = None,
    windows: int | None = None,
    horizon: int | None = None,
) -> None:
    """Checks the arguments of `evaluate_data` that need no model.

    Raises:
        UserError: as `evaluate_data`.
    """
    check_new(out)
    for name, value in {"samples": samples, "windows": windows, "horizon": horizon}.items():
        check_at_least_1(**{name: value})
    if horizon is not None and windows is None:
        raise UserError(
            f"horizon={horizon} was given without windows, of which it is the length. Give windows "
            "too, or leave it out."
        )
    if not submission:
        return
    if not has_split(data, "test"):
        raise UserError(f"{data} has no test split to write as a submission.")
    check_new(submission)
    if not Path(submission).absolute().parent.is_dir():
        raise UserError(f"The folder of the submission {submission} does not exist; make it first.")


def _mean(values: Sequence[np.ndarray]) -> float:
    return float(np.mean(np.concatenate(values)))
