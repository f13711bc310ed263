"""The end of a run: the best model evaluated in full, pictures and `metrics.json`."""

import time
import warnings
from collections.abc import Mapping, Sequence
from pathlib import Path

import numpy as np

from keras_cvae import plots, runs
from keras_cvae.callbacks.training_state import read_training_state
from keras_cvae.data.videos import Video
from keras_cvae.errors import NotFiniteError
from keras_cvae.evaluation.evaluator import evaluate_splits
from keras_cvae.evaluation.finite import finite_or_null
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

    A prediction of the test videos that is not finite costs the test results alone: a warning says
    so. What else is not finite is `None`, null in the file.

    Args:
        run: the run folder.
        train_videos: videos for the mean training frame.
        videos: by split, `"val"` and `"test"`; the latter may be absent or empty. Where no test
            video has true frames, the first is predicted and shown in `test.gif`.
        started: `time.monotonic()` at the start of the process.

    Returns:
        dict, what `metrics.json` holds: see `evaluate_splits`, at the model's temperature, and
        `val_psnr_t0` and `val_psnr_t1` (dB, at temperatures 0 and 1), `seconds`, `epochs`,
        `temperature`.

    Raises:
        NotFiniteError: if a prediction of the validation videos is not finite.
    """
    model = load_model(run / runs.BEST, compile=False)
    training_mean = mean_frame(train_videos)
    val, test = ({split: videos.get(split, ())} for split in ("val", "test"))
    metrics, _ = evaluate_splits(model, val, run, training_mean, overwrite=True)
    try:
        metrics |= evaluate_splits(model, test, run, training_mean, overwrite=True)[0]
    except NotFiniteError as error:
        warnings.warn(f"The test results are left out. {error}", stacklevel=2)
    for temperature in (0.0, 1.0):
        value = metrics["val_psnr"]
        if temperature != model.temperature:
            label = f"predicting val at temperature {temperature:.0f}"
            other = evaluate_videos(model, videos["val"], temperature=temperature, label=label)
            value = float(np.mean(np.concatenate([each.psnr for each in other])))
        metrics[f"val_psnr_t{temperature:.0f}"] = finite_or_null(value)

    history = read_training_state(run / runs.LAST)["history"]
    runs.write_history(run / runs.HISTORY, history)  # a kill may have come between the two files
    plots.plot_history(
        runs.as_columns(history),
        run / "curves.png",
        metrics["baselines"],
        overwrite=True,
        kl_unit=plots.KL_UNITS[model.kl_reduction],
    )
    metrics["epochs"] = len(history)
    metrics["temperature"] = model.temperature
    metrics["seconds"] = time.monotonic() - started
    write_json(run / runs.METRICS, metrics)
    return metrics
