"""The results of one finished run, checked: what a report says of it."""

from pathlib import Path
from typing import Any

import numpy as np

from keras_cvae import runs
from keras_cvae.errors import UserError
from keras_cvae.evaluation.finite import finite_or_null
from keras_cvae.plots.sources import history_columns, psnr_by_video

EDGE = 100  # the first and the last frames of which the mean PSNR is reported
_NEEDED = ("val_psnr", "baselines")
_NUMBERS = (
    *("val_psnr", "val_ssim", "test_psnr", "test_ssim", "val_posterior_psnr", "val_kl_nats"),
    *("val_active_maps", "val_latent_maps", "seconds"),
)


def run_results(folder: Path) -> dict[str, Any]:
    """The results of a run.

    Args:
        folder: of the run.

    Returns:
        dict of `metrics.json`, `None` where a value is not finite; `val_first` and `val_last`, the
        mean PSNR in dB of the first and of the last 100 frames, over the videos of which at least
        200 frames are predicted, if there are any; and, if the run was validated, `best_epoch`.

    Raises:
        UserError: if the run is not finished, or one of its files holds something else.
    """
    path = folder / runs.METRICS
    if not path.is_file():
        raise UserError(f"{folder} is no finished run: it has no {runs.METRICS}. Resume it first.")
    results = finite_or_null(runs.read_metrics(folder))
    _check_metrics(path, results)
    curves = [curve for curve in psnr_by_video(folder) if len(curve) >= 2 * EDGE]
    if curves:
        for name, part in (("val_first", slice(EDGE)), ("val_last", slice(-EDGE, None))):
            mean = np.concatenate([curve[part] for curve in curves]).mean()
            results[name] = finite_or_null(float(mean))
    history = history_columns(folder)
    if "val_psnr" not in history:
        raise UserError(f"{folder / runs.HISTORY} has no column 'val_psnr'. Write it again.")
    validated = np.where(np.isfinite(history["val_psnr"]), history["val_psnr"], -np.inf)
    if np.isfinite(validated).any():
        results["best_epoch"] = int(history["epoch"][validated.argmax()])
    return results


def _check_metrics(path: Path, results: dict[str, Any]) -> None:
    if absent := [name for name in _NEEDED if name not in results]:
        raise UserError(
            f"{path} lacks {' and '.join(absent)}: it is not of a finished run. Resume the run, or "
            "write the file again."
        )
    baselines = results["baselines"]
    if not isinstance(baselines, dict):
        raise UserError(f"{path}: expected an object as baselines; got {_kind(baselines)}.")
    values = {name: results.get(name) for name in _NUMBERS}
    values |= {f"baselines.{name}": baselines.get(name) for name in runs.BASELINES}
    for name, value in values.items():
        if value is None or (isinstance(value, float | int) and not isinstance(value, bool)):
            try:
                float(value or 0)
            except OverflowError:  # of an integer of many digits
                raise UserError(f"{path}: {name} is too large a number.") from None
            continue
        raise UserError(f"{path}: expected a number or null as {name}; got {_kind(value)}.")


def _kind(value: Any) -> str:
    names = {dict: "an object", list: "a list", str: "a text", bool: "a truth value"}
    return names.get(type(value), "null" if value is None else "a number")
