"""Exports a model: writes it, loads it back, compares it with Keras, and only then keeps it."""

import contextlib
import datetime
import os
import tempfile
import zipfile
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from typing import Any

import keras

from keras_cvae import runs
from keras_cvae.errors import UserError, check_choice, first_line
from keras_cvae.exporting.checks import deviations
from keras_cvae.exporting.elsewhere import write_elsewhere
from keras_cvae.exporting.formats import FORMATS, writing_backend
from keras_cvae.exporting.step import float32_copy, input_shapes
from keras_cvae.exporting.writers import write
from keras_cvae.files import check_new, new_folder
from keras_cvae.images import chosen_frame_size
from keras_cvae.inference.loading import load_predictor
from keras_cvae.inference.manifest import digest, manifest_path, read_manifest, write_manifest
from keras_cvae.model.cvae import CVAE
from keras_cvae.predictor import OUTPUT


def export(
    model: CVAE,
    path: str | os.PathLike,
    format: str,
    frame_size: tuple[int, int] | None = None,
    source: str | None = None,
    results: dict | None = None,
) -> dict[str, Any]:
    """Exports a trained model, with a manifest next to it (`path` + `.json`).

    The written model is loaded back with the format's own runtime and compared with Keras on random
    input and over a rollout of 50 frames. If they differ by more than 1e-4, nothing is kept.

    Args:
        model: of any precision; the exported model computes in float32.
        path: what to write; it must not exist. A file with the format's ending (a folder for a
            SavedModel), or `x.zip` for a bundle of the model and its manifest.
        format: `"keras"` (without optimiser), `"weights"`, `"onnx"`, `"tf_saved_model"` or
            `"torch"` (an exported program). The last three are one step of prediction: float32
            inputs `previous_frame` and `pose` (B, H, W, 3) and `z` (`noise`, of which z is made
            inside, unless the prior is the standard one), output `frame`, any batch B.
        frame_size: (height, width) of the frames. `None` takes that of the training, or 32 x 64 for
            a model that was not trained. Only Keras' own formats accept other sizes later.
        source: where the model is from, for the manifest.
        results: measured values such as PSNR, for the manifest.

    Returns:
        The manifest.

    Raises:
        UserError: if the format is unknown or cannot be written here, `path` exists or has another
            ending, the model cannot have `frame_size`, or the exported model differs from Keras.

    Example:

    ```python
    keras_cvae.export(model, "dancer.onnx", "onnx")
    predictor = keras_cvae.inference.load_predictor("dancer.onnx")
    ```
    """
    path = Path(path)
    _check_target(path, format)
    if not isinstance(model, CVAE):
        raise UserError(f"export takes a CVAE; got a {type(model).__name__}.")
    backend = writing_backend(format, keras.backend.backend())
    frame_size = chosen_frame_size(frame_size, model.frame_size)
    model.architecture.check_frame_size(frame_size)
    bundled = path.suffix == ".zip"
    # It is made in the folder where it goes, so that moving it there is one operation.
    with _parent(path) as parent, tempfile.TemporaryDirectory(dir=parent, prefix=".") as folder:
        name = path.with_suffix(FORMATS[format].suffix).name if bundled else path.name
        target = Path(folder) / name
        # On the CPU, because a graph stores the device of its weights.
        with keras.device("cpu"):
            model = float32_copy(model)
            model.note_frame_size(frame_size)
            manifest = _describe(model, format, frame_size, source, results)
            if backend == keras.backend.backend():
                _write(model, target, format, frame_size)
                write_manifest(target, manifest)  # for the predictor
                predictor = load_predictor(target, trust=True)  # just written here
                manifest["deviation"] = deviations(model, predictor, frame_size)
            else:
                write_elsewhere(model, target, format, frame_size, backend)
                there = read_manifest(target) or {}  # the other process compared it
                manifest.update({key: there[key] for key in ("backend", "versions", "deviation")})
        manifest["sha256"] = digest(target)
        write_manifest(target, manifest)
        _check_target(path, format)  # again: it may exist by now
        if bundled:
            os.rename(_bundle(Path(folder), target), path)
        else:
            os.rename(manifest_path(target), manifest_path(path))
            try:
                os.rename(target, path)
            except OSError:
                manifest_path(path).unlink()
                raise
    return manifest


def export_all(
    model: CVAE,
    folder: str | os.PathLike,
    formats: Sequence[str] | None = None,
    on_exported: Callable[[str, Any], object] = lambda *_: None,
    **details: Any,
) -> dict[str, str]:
    """Exports a model to a new folder in several formats, whole or not at all.

    Args:
        model: of any precision.
        folder: a path that does not exist.
        formats: keys of `FORMATS`. `None` takes all that the installed packages can write.
        on_exported: function of a format and its manifest, called after each export. For a format
            that is left out it gets the `UserError` in place of the manifest.
        **details: `frame_size`, `source` and `results`, as for `export`.

    Returns:
        dict format -> name of the file or folder.

    Raises:
        UserError: as for `export`, or if the folder exists.
    """
    if Path(folder).suffix == ".zip":
        raise UserError(f"All formats go into a folder; got {folder}. A bundle holds one format.")
    for format in formats or ():
        check_choice("format", format, FORMATS)
    written = {}
    with new_folder(folder) as partial:
        for format in formats or FORMATS:
            try:
                writing_backend(format, keras.backend.backend())
            except UserError as error:
                if formats:
                    raise
                on_exported(format, error)
                continue
            name = f"model{FORMATS[format].suffix or '_tf'}"
            on_exported(format, export(model, partial / name, format, **details))
            written[format] = name
    return written


@contextlib.contextmanager
def _parent(path: Path) -> Iterator[Path]:
    """Makes the folder that a path is in. If the block raises, the made folders are removed."""
    made = [p for p in path.absolute().parents if not p.exists()]
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise UserError(f"The folder {path.parent} could not be made: {error}") from error
    try:
        yield path.parent
    except BaseException:
        for folder in made:
            with contextlib.suppress(OSError):  # another process has put something there
                folder.rmdir()
        raise


def _write(model: CVAE, path: Path, format: str, frame_size: tuple[int, int]) -> None:
    try:
        write(model, path, format, frame_size)
    except Exception as error:  # each exporter raises its own types of errors
        raise UserError(f"{format} could not be written: {first_line(error)}") from error


def _check_target(path: Path, format: str) -> None:
    check_choice("format", format, FORMATS)
    suffix = FORMATS[format].suffix
    ending = "".join(path.suffixes[-2:]) if suffix.count(".") == 2 else path.suffix
    if path.suffix != ".zip" and ending != suffix:
        kind = f"end in {suffix}" if suffix else "be a folder, without an ending"
        raise UserError(f"{format} must {kind}, or .zip for a bundle; got {path}.")
    for there in (path, manifest_path(path)):
        check_new(there)


def _describe(
    model: CVAE,
    format: str,
    frame_size: tuple[int, int],
    source: str | None,
    results: dict | None,
) -> dict[str, Any]:
    shapes = input_shapes(model, frame_size)
    inputs = {name: ["batch", *shape[1:]] for name, shape in shapes.items()}
    environment = runs.environment(keras.backend.backend())
    return {
        "format": format,
        "frame_size": list(frame_size),
        "latent_shape": list(model.latent_shape(frame_size)),
        "temperature": model.temperature,
        "prior": model.architecture.prior,
        "poses": model.poses,
        "inputs": inputs,
        "outputs": {OUTPUT: inputs["previous_frame"]},
        "dtype": "float32",
        "value_range": [0, 1],
        "channel_order": "RGB",
        "data_format": "channels_last",
        "parameters": model.count_params(),
        "model": model.get_config(),
        "source": source,
        "results": results,
        "backend": environment["backend"],
        "versions": environment["versions"],
        "created": datetime.date.today().isoformat(),
    }


def _bundle(folder: Path, target: Path) -> Path:
    bundle = folder / "bundle.zip"
    with zipfile.ZipFile(bundle, "w", zipfile.ZIP_DEFLATED) as archive:
        for path in (manifest_path(target), target, *sorted(target.rglob("*"))):
            archive.write(path, path.relative_to(folder))
    return bundle
