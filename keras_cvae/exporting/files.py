"""From a run folder or a saved model to exported files."""

from pathlib import Path

from keras_cvae import runs
from keras_cvae.errors import UserError
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
        UserError: as `export` does, or if there is no such model.
    """
    path = Path(model)
    loaded = load_model(path, compile=False)
    details = {"frame_size": frame_size, "source": path.name, "results": None}
    measured = loaded.frame_size  # the size that the results of a run are of
    if (path / runs.METRICS).is_file() and tuple(frame_size or measured) == measured:
        details["results"] = runs.read_metrics(path)
    if format == ALL:
        export_all(loaded, out, on_exported=_say, **details)
    else:
        _say(format, export(loaded, out, format, **details))


def _say(format, done):
    if isinstance(done, UserError):
        print(f"{format}: left out. {done}")
        return
    largest = max(done["deviation"].values())
    print(
        f"{format}: written with {done['backend']}, loaded back, differs from Keras by at most "
        f"{largest:.1g}",
        flush=True,
    )
