"""Loading of saved models and weights, with messages for what can be wrong with a path."""

import hashlib
import os
from pathlib import Path

import keras
from keras import ops

from keras_cvae import runs, saved_models
from keras_cvae.errors import UserError, check_choice, first_line
from keras_cvae.files import check_regular, read_json
from keras_cvae.model.archive import check_model_config, check_model_file
from keras_cvae.model.cvae import CVAE
from keras_cvae.predictor import BUILTIN_POSES, POSES, SKELETON_POSES

PRETRAINED = Path(saved_models.__path__[0])  # the folder of the models that come with the package


def load_model(path: str | os.PathLike, compile: bool = True) -> CVAE:
    """Loads a `CVAE` from a `.keras` file, in Keras' safe mode: nothing in the file is run.

    Args:
        path: a `.keras` file, or a run folder, whose `best.keras` is taken.
        compile: whether to restore the optimiser and its state, to go on training.

    Returns:
        `CVAE`.

    Raises:
        UserError: if there is no such file, it is damaged, it holds no `CVAE`, or its weights are
            not finite.
    """
    path = folder = check_regular(path)
    if path.is_dir():
        path = path / runs.BEST
    if not path.is_file():
        raise UserError(
            f"There is no model at {path}. Give a .keras file, or a run folder with a best.keras "
            "(written after the first validated epoch)."
        )
    config = check_model_file(path)
    try:
        model = keras.saving.load_model(path, compile=compile)
    except Exception as error:  # a damaged or foreign file can raise any type of error
        raise UserError(
            f"{path} could not be loaded as a Keras model: {first_line(error)}"
        ) from error
    if not isinstance(model, CVAE):
        raise UserError(f"{path} holds a {type(model).__name__}, not a CVAE.")
    check_weights(model, path)
    if model.frame_size is None and runs.is_run(folder):
        model.note_frame_size(runs.read_config(folder)["frame_size"])
    if "poses" not in config:  # of an earlier version
        model.poses = _poses_of_run(path.parent) or _poses_of_manifest(path)
    return model


def _poses_of_run(run: Path) -> str | None:
    """What drew the pose images of a run, whose models do not say; `None` if it is no run."""
    try:
        data = runs.read_config(run).get("data")
    except UserError:  # no such file, or one that is not of a run
        return None
    if data in BUILTIN_POSES:
        return data
    return SKELETON_POSES if (run / runs.DANCER).is_file() else None


def _poses_of_manifest(path: Path) -> str | None:
    """What the manifest next to an exported model says of its pose images, if it is its own."""
    try:
        manifest = read_json(f"{path}.json", "The manifest")
    except UserError:
        return None
    poses = manifest.get("poses") if isinstance(manifest, dict) else None
    if poses not in POSES:
        return None
    with open(path, "rb") as file:
        own = manifest.get("sha256") == hashlib.file_digest(file, "sha256").hexdigest()
    return poses if own else None


def load_weights(path: str | os.PathLike, config: dict) -> CVAE:
    """Makes a `CVAE` of its configuration and loads a file of weights alone.

    Args:
        path: a `.weights.h5` file.
        config: what the model's `get_config()` gave.

    Returns:
        `CVAE`, not compiled.

    Raises:
        UserError: if the file cannot be read, does not fit the configuration, or has weights that
            are not finite.
    """
    check_model_config(config, path)
    try:
        model = CVAE.from_config(dict(config))
        model.load_weights(path)
    except Exception as error:  # a damaged or foreign file can raise any type of error
        raise UserError(f"{path} could not be loaded as weights: {first_line(error)}") from error
    check_weights(model, path)
    return model


def check_weights(model: CVAE, path: str | os.PathLike) -> None:
    """Checks that the weights of a loaded model are finite.

    Args:
        model: `CVAE`.
        path: where it is from.

    Raises:
        UserError: if one is NaN or infinite.
    """
    for variable in model.weights:
        # A sum of finite numbers may overflow, so each number is looked at.
        if "float" in variable.dtype and not bool(ops.all(ops.isfinite(variable))):
            raise UserError(
                f"{path} has weights that are not finite ({variable.path}): its training broke. "
                "Use an earlier checkpoint."
            )


def from_pretrained(name: str) -> CVAE:
    """Loads a pretrained model that comes with the package; nothing is downloaded.

    Args:
        name: such as `"builtin_dancer"`, the default preset trained on the built-in data: see its
            card, `saved_models/builtin_dancer.md`. The same model as ONNX is in that folder too.

    Returns:
        `CVAE`, not compiled.

    Raises:
        UserError: for a name that is not there.

    Example:

    ```python
    model = keras_cvae.from_pretrained("builtin_dancer")
    video = model.predict_video(first_frame, poses)
    ```
    """
    check_choice("pretrained model", name, sorted(path.stem for path in PRETRAINED.glob("*.keras")))
    return load_model(PRETRAINED / f"{name}.keras", compile=False)
