"""The end of a run: the best model evaluated in full, pictures and `metrics.json`."""

import time

from keras_cvae import plots, runs
from keras_cvae.callbacks.training_state import read_training_state
from keras_cvae.evaluation import BASELINES, mean_frame
from keras_cvae.model.loading import load_model
from keras_cvae.results import (
    evaluate_with_progress,
    latent_use_with_progress,
    summary,
    write_evaluation,
)


def write_results(run, train_videos, videos, started):
    """Evaluates `best.keras` on validation and test videos and writes what comes out.

    Args:
        run: `Path`, the run folder.
        train_videos: list of `keras_cvae.data.Video`, for the mean training frame.
        videos: dict of such lists, under `"val"` and `"test"`; the latter may be empty.
        started: `time.monotonic()` at the start of the process.

    Returns:
        dict, what `metrics.json` holds: `val_psnr` and, where there are true frames, `test_psnr`
        (dB, at the model's temperature), the same as SSIM, `val_psnr_t0` and `val_psnr_t1` (at
        temperatures 0 and 1), `baselines` on validation, `val_` with what `latent_use`
        gives, `seconds`, `epochs`, `temperature`.
    """
    model = load_model(run / runs.BEST, compile=False)
    training_mean = mean_frame(train_videos)
    metrics, means = {}, {}
    for split, true in videos.items():
        if true:
            evaluations = evaluate_with_progress(model, split, true, training_mean)
            write_evaluation(run, split, evaluations, true, overwrite=True)
            means[split] = summary(evaluations)
            metrics[f"{split}_psnr"] = means[split]["psnr"]
            metrics[f"{split}_ssim"] = means[split]["ssim"]
    for temperature in (0.0, 1.0):
        value = metrics["val_psnr"]
        if temperature != model.temperature:
            other = evaluate_with_progress(model, "val", videos["val"], training_mean, temperature)
            value = summary(other)["psnr"]
        metrics[f"val_psnr_t{temperature:.0f}"] = value
    metrics["baselines"] = {name: means["val"][name] for name in BASELINES}
    use = latent_use_with_progress(model, videos["val"])
    metrics |= {f"val_{name}": value for name, value in use.items()}

    history = read_training_state(run / runs.LAST)["history"]
    runs.write_history(run / runs.HISTORY, history)  # a kill may have come between the two files
    plots.plot_history(
        runs.as_columns(history), run / "curves.png", metrics["baselines"], overwrite=True
    )
    metrics["epochs"] = len(history)
    metrics["temperature"] = model.temperature
    metrics["seconds"] = time.monotonic() - started
    runs.write_json(run / runs.METRICS, metrics)
    return metrics
