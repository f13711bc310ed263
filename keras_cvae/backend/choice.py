"""The choice of a Keras backend that is installed, before Keras is imported."""

import importlib.util
import json
import os
from pathlib import Path

from keras_cvae.errors import UserError

BACKENDS = ("torch", "tensorflow", "jax")


def choose_backend(preferred=None):
    """Makes sure that Keras will run on an installed backend.

    `KERAS_BACKEND` decides if it is set. Else the preferred backend does, then the one in Keras'
    own configuration file, if it is installed (Keras writes that file with "tensorflow" whether or
    not it is), else the first of torch, tensorflow and jax that is. Call it before anything imports
    Keras.

    Args:
        preferred: str, such as the backend of a run that is to go on, or `None`.

    Returns:
        str, the backend; `KERAS_BACKEND` is set to it.

    Raises:
        UserError: if the asked-for backend, or every backend, is absent.
    """
    asked = os.environ.get("KERAS_BACKEND")
    installed = [name for name in BACKENDS if importlib.util.find_spec(name)]
    if asked:
        if asked not in BACKENDS:
            raise UserError(f"KERAS_BACKEND is {asked!r}; expected one of {', '.join(BACKENDS)}.")
        if asked not in installed:
            raise UserError(
                f"KERAS_BACKEND is {asked!r}, but {asked} is not installed. Install it with "
                f"pip install 'keras_cvae[{asked}]', or unset KERAS_BACKEND."
            )
        return asked
    if not installed:
        raise UserError(
            "No Keras backend is installed. Install one with pip install 'keras_cvae[torch]' "
            "(or [tensorflow], [jax])."
        )
    wishes = [name for name in (preferred, _configured()) if name in installed]
    os.environ["KERAS_BACKEND"] = (wishes or installed)[0]
    return os.environ["KERAS_BACKEND"]


def _configured():
    """The backend of Keras' configuration file, or `None`."""
    home = Path(os.environ.get("KERAS_HOME", Path.home() / ".keras"))
    try:
        return json.loads((home / "keras.json").read_text()).get("backend")
    except (OSError, ValueError, AttributeError):
        return None
