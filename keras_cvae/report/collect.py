"""What a report says of finished runs: settings, results, curves."""

import dataclasses
import json
from pathlib import Path

import numpy as np

from keras_cvae import runs
from keras_cvae.errors import UserError
from keras_cvae.plots.sources import history_columns, psnr_by_video

EDGE = 100  # frames at the beginning and at the end whose mean is reported
_NOT_SETTINGS = ("seed", "environment", "cache")


@dataclasses.dataclass
class Group:
    """Runs that differ in their seed alone.

    Args:
        label: str, how people know them.
        folders: list of `Path`, finished run folders, the first of which is shown in pictures.
        config: dict, the settings of the first.
        results: list of dicts, `metrics.json` of each, with what `run_results` adds.
    """

    label: str
    folders: list
    config: dict
    results: list

    def values(self, name):
        """A result of all runs that have it, as a float array."""
        found = [result.get(name) for result in self.results]
        return np.array([value for value in found if value is not None], dtype=float)


def collect(labelled):
    """Reads finished runs.

    Args:
        labelled: dict label -> list of run folders.

    Returns:
        list of `Group`.

    Raises:
        UserError: if a folder holds no finished run, or the runs were validated on other frames.
    """
    groups = []
    for label, folders in labelled.items():
        folders = [Path(folder) for folder in folders]
        configs = [runs.read_config(folder) for folder in folders]
        groups.append(Group(label, folders, configs[0], [run_results(f) for f in folders]))
    first = groups[0]
    for group in groups:
        for key in ("data", "frame_size"):
            if group.config[key] != first.config[key]:
                raise UserError(
                    f"The runs of a report are shown on the same frames, but {first.folders[0]} "
                    f"has {key} {first.config[key]} and {group.folders[0]} has "
                    f"{group.config[key]}. Make a report of each."
                )
    return groups


def by_settings(folders):
    """Runs grouped by their settings but the seed.

    Args:
        folders: list of run folders.

    Returns:
        dict label -> list of folders; the label is the first folder's name, with the names of as
        many parents as tell it from the others.
    """
    groups = {}
    for folder in dict.fromkeys(Path(folder).resolve() for folder in folders):
        config = runs.read_config(folder)
        settings = {k: v for k, v in config.items() if k not in _NOT_SETTINGS}
        groups.setdefault(json.dumps(settings, sort_keys=True), []).append(folder)
    groups = list(groups.values())
    for depth in range(1, max(len(group[0].parts) for group in groups) + 1):
        labels = ["/".join(group[0].parts[-depth:]) for group in groups]
        if len(set(labels)) == len(groups):
            break
    return dict(zip(labels, groups, strict=True))


def run_results(folder):
    """`metrics.json` of a run, with PSNR and SSIM of the first and last frames and the best epoch.

    Raises:
        UserError: if the run is not finished.
    """
    path = folder / runs.METRICS
    if not path.is_file():
        raise UserError(f"{folder} is no finished run: it has no {runs.METRICS}. Resume it first.")
    results = runs.read_metrics(folder)
    curves = psnr_by_video(folder)
    results["val_first"] = np.concatenate([curve[:EDGE] for curve in curves]).mean()
    results["val_last"] = np.concatenate([curve[-EDGE:] for curve in curves]).mean()
    history = history_columns(folder)
    validated = history["val_psnr"]
    if np.isfinite(validated).any():
        results["best_epoch"] = int(history["epoch"][np.nanargmax(validated)])
    return results


def common_settings(groups):
    """The settings that all runs share, and those in which they differ.

    Returns:
        `(shared, different)`: dict name -> value, and dict name -> list of values by group.
    """
    names = dict.fromkeys(name for group in groups for name in group.config)
    names = [name for name in names if name not in _NOT_SETTINGS]
    shared, different = {}, {}
    for name in names:
        values = [group.config.get(name) for group in groups]
        if all(value == values[0] for value in values):
            shared[name] = values[0]
        else:
            different[name] = values
    return shared, different


COLUMNS = {
    "val_psnr": "val PSNR, dB",
    "val_first": f"first {EDGE} frames",
    "val_last": f"last {EDGE} frames",
    "val_ssim": "val SSIM",
    "test_psnr": "test PSNR, dB",
    "test_ssim": "test SSIM",
    "val_posterior_psnr": "with the posterior's z, dB",
    "val_kl_nats": "KL, nats per frame",
    "best_epoch": "best epoch",
    "seconds": "last process, s",
}


def table(groups):
    """The table of results: a header, and a row of texts for each group and each baseline.

    A cell is the mean over the seeds, with the standard deviation where there are several.
    """
    names = [name for name in COLUMNS if any(len(group.values(name)) for group in groups)]
    header = ["", *(COLUMNS[name] for name in names)]
    rows = [[group.label, *(cell(name, group.values(name)) for name in names)] for group in groups]
    for baseline in runs.BASELINES:
        level = groups[0].results[0]["baselines"].get(baseline)
        if level is not None:
            text = f"{baseline.replace('_', ' ')}, copied"
            rows.append([text, f"{level:.2f}", *[""] * (len(names) - 1)])
    return header, rows


def cell(name, values):
    """Mean of some runs' results as text, `mean ± standard deviation` of several."""
    if not len(values):
        return ""
    digits = {"val_ssim": 3, "test_ssim": 3, "best_epoch": 0, "seconds": 0}.get(name, 2)
    text = f"{values.mean():.{digits}f}" if name != "val_kl_nats" else f"{values.mean():.3g}"
    if len(values) > 1:
        text += f" ± {values.std(ddof=1):.{max(digits, 1)}f}"
    return text
