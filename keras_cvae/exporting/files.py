"""Exports a run folder or a saved model."""

import os
from pathlib import Path
from typing import Any

from keras_cvae import runs
from keras_cvae.errors import UserError
from keras_cvae.exporting.exporter import export, export_all
from keras_cvae.model.loading import load_model

ALL = "all"


def export_file(
    model: str | os.PathLike,
    out: str | os.PathLike,
    format: str,
    frame_size: tuple[int, int] | None = None,
) -> None:
    """Exports a saved model and prints a line for each format.

    Args:
        model: a run folder, whose results go into the manifest, or a `.keras` file.
        out: what to write, see `export`; for `"all"` a new folder, see `export_all`.
        format: a key of `FORMATS`, or `"all"`.
        frame_size: (height, width); `None` takes that of the training.

    Raises:
        UserError: as for `export`, or if there is no such model.
    """
    path = Path(model)
    loaded = load_model(path, compile=False)
    details: dict[str, Any] = {"frame_size": frame_size, "source": path.name, "results": None}
    # The results of a run are of its own frame size.
    own_size = frame_size is None or tuple(frame_size) == loaded.frame_size
    if (path / runs.METRICS).is_file() and own_size:
        details["results"] = runs.read_metrics(path)
    if format == ALL:
        export_all(loaded, out, on_exported=_say, **details)
    else:
        _say(format, export(loaded, out, format, **details))


def _say(format: str, done: dict | UserError) -> None:
    if isinstance(done, UserError):
        print(f"{format}: left out. {done}")
        return
    largest = max(done["deviation"].values())
    print(
        f"{format}: written with {done['backend']}, loaded back, differs from Keras by at most "
        f"{largest:.1g}",
        flush=True,
    )
