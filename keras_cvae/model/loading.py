"""Loading of saved models and weights, with messages for what can be wrong with a path."""

import zipfile
import zlib
from pathlib import Path

import keras

from keras_cvae.errors import first_line
from keras_cvae.model.cvae import CVAE

_DAMAGED = (OSError, EOFError, KeyError, TypeError, ValueError, zipfile.BadZipFile, zlib.error)


def load_model(path, compile=True):
    """Loads a `CVAE` from a `.keras` file, in Keras' safe mode.

    Args:
        path: str or `Path`, a `.keras` file, or a run folder, whose `best.keras` is taken.
        compile: bool, whether to restore the optimiser and its state, to go on training.

    Returns:
        `CVAE`.

    Raises:
        ValueError: if there is no such file, or it holds no `CVAE`.
    """
    path = Path(path)
    if path.is_dir():
        path = path / "best.keras"
    if not path.is_file():
        raise ValueError(
            f"There is no model at {path}. Give a .keras file, or a run folder with a best.keras "
            "(written after the first validated epoch)."
        )
    try:
        model = keras.saving.load_model(path, compile=compile)
    except _DAMAGED as error:
        raise ValueError(
            f"{path} could not be loaded as a Keras model: {first_line(error)}"
        ) from error
    if not isinstance(model, CVAE):
        raise ValueError(f"{path} holds a {type(model).__name__}, not a CVAE.")
    return model


def load_weights(path, config):
    """Makes a `CVAE` of its configuration and loads a file of weights alone.

    Args:
        path: str or `Path`, a `.weights.h5` file.
        config: dict, what the model's `get_config()` gave.

    Returns:
        `CVAE`, not compiled.

    Raises:
        ValueError: if the file cannot be read or does not fit the configuration.
    """
    try:
        model = CVAE.from_config(dict(config))
        model.load_weights(path)
    except _DAMAGED as error:
        raise ValueError(f"{path} could not be loaded as weights: {first_line(error)}") from error
    return model
