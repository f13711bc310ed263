"""From a run folder or a saved model to exported files."""

import json
from pathlib import Path

from keras_cvae import runs
from keras_cvae.exporting.exporter import export, export_all
from keras_cvae.model.loading import load_model

ALL = "all"


def export_file(model, out, format, frame_size=None):
    """Exports a saved model and prints what came of it.

    Args:
        model: path of a run folder, whose results go into the manifest, or of a `.keras` file.
        out: what to write, see `export`; with `"all"` a new folder, or see `export_all`.
        format: str, a format or `"all"`.
        frame_size: (height, width), or `None` for that of the run.

    Raises:
        ValueError: as `export` does, or if there is no such model.
    """
    path = Path(model)
    details = {"frame_size": frame_size, "source": path.name, "results": None}
    if (path / runs.CONFIG).is_file():
        trained = runs.read_config(path)["frame_size"]
        details["frame_size"] = frame_size or trained
        # Measured at that size.
        if (path / runs.METRICS).is_file() and list(details["frame_size"]) == list(trained):
            details["results"] = json.loads((path / runs.METRICS).read_text())
    loaded = load_model(path, compile=False)
    if format == ALL:
        export_all(loaded, out, on_exported=_say, **details)
    else:
        _say(format, export(loaded, out, format, **details))


def _say(format, done):
    if isinstance(done, ValueError):
        print(f"{format}: left out. {done}")
        return
    largest = max(done["deviation"].values())
    print(
        f"{format}: written with {done['backend']}, loaded back, differs from Keras by at most "
        f"{largest:.1g}",
        flush=True,
    )
