"""The end of a run: the best model evaluated in full, pictures and `metrics.json`."""

import time
from collections.abc import Mapping, Sequence
from pathlib import Path

import numpy as np

from keras_cvae import plots, runs
from keras_cvae.callbacks.training_state import read_training_state
from keras_cvae.data.videos import Video
from keras_cvae.evaluation.evaluator import evaluate_splits
from keras_cvae.evaluation.rollouts import evaluate_videos, mean_frame
from keras_cvae.files import write_json
from keras_cvae.model.loading import load_model


def write_results(
    run: Path,
    train_videos: Sequence[Video],
    videos: Mapping[str, Sequence[Video]],
    started: float,
) -> dict:
    """Evaluates `best.keras` on validation and test videos and writes the results.

    Args:
        run: the run folder.
        train_videos: videos for the mean training frame.
        videos: by split, `"val"` and `"test"`; the latter may be empty.
        started: `time.monotonic()` at the start of the process.

    Returns:
        dict, what `metrics.json` holds: see `evaluate_splits`, at the model's temperature, and
        `val_psnr_t0` and `val_psnr_t1` (dB, at temperatures 0 and 1), `seconds`, `epochs`,
        `temperature`.
    """
    model = load_model(run / runs.BEST, compile=False)
    training_mean = mean_frame(train_videos)
    metrics, _ = evaluate_splits(model, videos, run, training_mean, overwrite=True)
    for temperature in (0.0, 1.0):
        value = metrics["val_psnr"]
        if temperature != model.temperature:
            label = f"predicting val at temperature {temperature:.0f}"
            other = evaluate_videos(model, videos["val"], temperature=temperature, label=label)
            value = float(np.mean(np.concatenate([each.psnr for each in other])))
        metrics[f"val_psnr_t{temperature:.0f}"] = value

    history = read_training_state(run / runs.LAST)["history"]
    runs.write_history(run / runs.HISTORY, history)  # a kill may have come between the two files
    plots.plot_history(
        runs.as_columns(history), run / "curves.png", metrics["baselines"], overwrite=True
    )
    metrics["epochs"] = len(history)
    metrics["temperature"] = model.temperature
    metrics["seconds"] = time.monotonic() - started
    write_json(run / runs.METRICS, metrics)
    return metrics
