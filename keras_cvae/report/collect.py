"""The settings and results of finished runs, for a report."""

import dataclasses
import json
import os
from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np

from keras_cvae import runs
from keras_cvae.errors import UserError
from keras_cvae.report.results import EDGE, run_results

_NOT_SETTINGS = ("seed", "environment", "cache")


@dataclasses.dataclass
class Group:
    """Runs that differ in their seed alone.

    Args:
        label: their name in the report.
        folders: finished run folders. The pictures show the first.
        config: the settings of the first.
        results: of each run, as `run_results` returns them.
    """

    label: str
    folders: list[Path]
    config: dict[str, Any]
    results: list[dict[str, Any]]

    def values(self, name: str) -> np.ndarray:
        """One result of all runs that have it.

        Args:
            name: a key of `results`.

        Returns:
            (runs,) floats.
        """
        found = [result.get(name) for result in self.results]
        return np.array([value for value in found if value is not None], dtype=float)


def collect(labelled: Mapping[str, Sequence[str | os.PathLike]]) -> list[Group]:
    """Reads finished runs.

    Args:
        labelled: label -> run folders that differ in their seed alone.

    Returns:
        A group for each label.

    Raises:
        UserError: if a folder holds no finished run, or the runs differ in their data or frame
            size.
    """
    groups = []
    for label, folders in labelled.items():
        paths = [Path(folder) for folder in folders]
        configs = [_read_config(path) for path in paths]
        groups.append(Group(label, paths, configs[0], [run_results(path) for path in paths]))
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


def _read_config(folder: Path) -> dict[str, Any]:
    config = runs.read_config(folder)
    data, size = config.get("data"), config.get("frame_size")
    sides = size if isinstance(size, list) and len(size) == 2 else [None]
    if not isinstance(data, str) or not all(type(side) is int and side > 0 for side in sides):
        raise UserError(
            f"{folder / runs.CONFIG}: expected data, a text, and frame_size, two positive "
            f"integers; got data {data!r} and frame_size {size!r}. Leave the run out."
        )
    return config


def by_settings(folders: Iterable[str | os.PathLike]) -> dict[str, list[Path]]:
    """Groups runs by their settings, without the seed.

    Args:
        folders: run folders.

    Returns:
        dict label -> folders. A label is the first folder's name, with the names of its parents as
        far as they are needed to make it unique.

    Raises:
        UserError: if a folder is no run folder.
    """
    by_text: dict[str, list[Path]] = {}
    for folder in dict.fromkeys(Path(folder).resolve() for folder in folders):
        config = runs.read_config(folder)
        settings = {k: v for k, v in config.items() if k not in _NOT_SETTINGS}
        by_text.setdefault(json.dumps(settings, sort_keys=True), []).append(folder)
    groups = list(by_text.values())
    for depth in range(1, max(len(group[0].parts) for group in groups) + 1):
        labels = ["/".join(group[0].parts[-depth:]) for group in groups]
        if len(set(labels)) == len(groups):
            break
    return dict(zip(labels, groups, strict=True))


def common_settings(groups: Sequence[Group]) -> tuple[dict[str, Any], dict[str, list]]:
    """The settings that all runs share, and those in which they differ.

    Args:
        groups: as `collect` returns them.

    Returns:
        `(shared, different)`: dict name -> value, and dict name -> a value for each group.
    """
    names = dict.fromkeys(name for group in groups for name in group.config)
    shared: dict[str, Any] = {}
    different: dict[str, list] = {}
    for name in names:
        if name in _NOT_SETTINGS:
            continue
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


def table(groups: Sequence[Group]) -> tuple[list[str], list[list[str]]]:
    """The table of results, with a row for each group and each copy-frame baseline.

    A cell is the mean over the seeds; of several seeds it also has the standard deviation.

    Args:
        groups: as `collect` returns them.

    Returns:
        `(header, rows)`, texts.
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


def cell(name: str, values: np.ndarray) -> str:
    """The mean of some runs' results as text, `mean ± standard deviation` of several.

    Args:
        name: of the result, which determines the number of digits.
        values: (runs,); none gives a dash.
    """
    if not len(values):
        return "–"
    digits = {"val_ssim": 3, "test_ssim": 3, "best_epoch": 0, "seconds": 0}.get(name, 2)
    text = f"{values.mean():.{digits}f}" if name != "val_kl_nats" else f"{values.mean():.3g}"
    if len(values) > 1:
        text += f" ± {values.std(ddof=1):.{max(digits, 1)}f}"
    return text
