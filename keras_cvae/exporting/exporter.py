"""Exporting: write, load back, compare, and only then keep."""

import contextlib
import datetime
import hashlib
import os
import tempfile
import zipfile
from pathlib import Path

import keras

from keras_cvae import runs
from keras_cvae.errors import UserError, check_choice, first_line
from keras_cvae.exporting.checks import deviations
from keras_cvae.exporting.elsewhere import write_elsewhere
from keras_cvae.exporting.formats import FORMATS, writing_backend
from keras_cvae.exporting.step import float32_copy, input_shapes
from keras_cvae.exporting.writers import write
from keras_cvae.files import check_new, new_folder
from keras_cvae.images import DEFAULT_FRAME_SIZE
from keras_cvae.inference.loading import load_predictor
from keras_cvae.inference.manifest import manifest_path, read_manifest, write_manifest
from keras_cvae.model.cvae import CVAE
from keras_cvae.predictor import OUTPUT


def export(model, path, format, frame_size=None, source=None, results=None):
    """Exports a trained model, with a manifest beside it (`path` + `.json`).

    What is written is loaded back with the format's own runtime and compared with Keras on random
    input and over a roll-out of 50 frames; where they differ by more than 1e-4, nothing is left.

    Args:
        model: `CVAE`, of any precision; what is exported computes in float32.
        path: what to write, new: a file with the format's ending (a folder for a SavedModel), or
            `x.zip`, a bundle of the model and its manifest.
        format: `"keras"` (without optimiser), `"weights"`, `"onnx"`, `"tf_saved_model"` or
            `"torch"` (an exported program). The last three are one step of prediction: float32
            inputs `previous_frame` and `pose` (B, H, W, 3) and `z`, output `frame`, any batch B.
        frame_size: (height, width) of the frames; `None` is that of the model's training, or
            32 x 64 where it had none. Only Keras' own formats take other sizes afterwards.
        source: str, where the model is from, for the manifest.
        results: dict, measured values such as PSNR, for the manifest.

    Returns:
        dict, the manifest.

    Raises:
        UserError: if the format is unknown or cannot be written here, `path` exists or has
            another ending, or the exported model differs from Keras.

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
    frame_size = _checked_size(model, frame_size)
    bundled = path.suffix == ".zip"
    # Where it is made is also where it goes: moving it there is one operation.
    with _parent(path) as parent, tempfile.TemporaryDirectory(dir=parent, prefix=".") as folder:
        name = path.with_suffix(FORMATS[format].suffix).name if bundled else path.name
        target = Path(folder) / name
        # On the CPU wherever it was trained: a graph remembers the device of its weights.
        with keras.device("cpu"):
            model = float32_copy(model)
            model.note_frame_size(frame_size)
            manifest = _describe(model, format, frame_size, source, results)
            if backend == keras.backend.backend():
                _write(model, target, format, frame_size)
                write_manifest(target, manifest)  # the predictor reads it
                manifest["deviation"] = deviations(model, load_predictor(target), frame_size)
            else:
                write_elsewhere(model, target, format, frame_size, backend)
                there = read_manifest(target)  # which compared it
                manifest.update({key: there[key] for key in ("backend", "versions", "deviation")})
        manifest["sha256"] = _sha256(target)
        write_manifest(target, manifest)
        _check_target(path, format)  # still
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


def export_all(model, folder, formats=None, on_exported=lambda *_: None, **details):
    """Exports a model to a new folder in several formats: whole or not at all.

    Args:
        model: `CVAE`.
        folder: path that does not exist yet.
        formats: list of str; `None` takes all, but those that nothing installed here can write.
        on_exported: function that gets each format and its manifest, or the `UserError` that says
            why it was left out.
        **details: as for `export`.

    Returns:
        dict format -> file name.
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


def _checked_size(model, frame_size):
    """The frame size of an export as a tuple, if the architecture can have it."""
    if frame_size is None:
        frame_size = model.frame_size or DEFAULT_FRAME_SIZE
    sides = tuple(int(side) for side in frame_size)
    if len(sides) != 2 or min(sides) < 1:
        raise UserError(f"frame_size must be (height, width), both positive; got {sides}.")
    model.latent_shape(sides)
    return sides


@contextlib.contextmanager
def _parent(path):
    """Makes the folder that a path lies in; if the block raises, what was made goes again."""
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


def _write(model, path, format, frame_size):
    try:
        write(model, path, format, frame_size)
    except Exception as error:  # each exporter has errors of its own
        raise UserError(f"{format} could not be written: {first_line(error)}") from error


def _check_target(path, format):
    check_choice("format", format, FORMATS)
    suffix = FORMATS[format].suffix
    ending = "".join(path.suffixes[-2:]) if suffix.count(".") == 2 else path.suffix
    if path.suffix != ".zip" and ending != suffix:
        kind = f"end in {suffix}" if suffix else "be a folder, without an ending"
        raise UserError(f"{format} is to {kind}, or .zip for a bundle; got {path}.")
    for there in (path, manifest_path(path)):
        check_new(there)


def _describe(model, format, frame_size, source, results):
    shapes = input_shapes(model, frame_size)
    inputs = {name: ["batch", *shape[1:]] for name, shape in shapes.items()}
    environment = runs.environment(keras.backend.backend())
    return {
        "format": format,
        "frame_size": list(frame_size),
        "latent_shape": list(model.latent_shape(frame_size)),
        "temperature": model.temperature,
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


def _sha256(path):
    """Of a file, or of the files of a folder in the order of their names."""
    digest = hashlib.sha256()
    files = sorted(p for p in path.rglob("*") if p.is_file()) if path.is_dir() else [path]
    for file in files:
        digest.update(file.read_bytes())
    return digest.hexdigest()


def _bundle(folder, target):
    bundle = folder / "bundle.zip"
    with zipfile.ZipFile(bundle, "w", zipfile.ZIP_DEFLATED) as archive:
        for path in (manifest_path(target), target, *sorted(target.rglob("*"))):
            archive.write(path, path.relative_to(folder))
    return bundle
