"""The choice of a Keras backend that is installed, before Keras is imported."""

import importlib.util
import json
import os
from pathlib import Path

from keras_cvae.errors import UserError, check_choice

BACKENDS = ("torch", "tensorflow", "jax")


def choose_backend(preferred: str | None = None) -> str:
    """Makes sure that Keras will run on an installed backend.

    `KERAS_BACKEND` decides if it is set. Otherwise the first of these that is installed is taken:
    the preferred backend, the one in Keras' own configuration file (Keras writes "tensorflow" there
    even where TensorFlow is not installed), torch, tensorflow, jax. Call it before anything imports
    Keras.

    Args:
        preferred: a backend, such as that of a run to resume, or `None`.

    Returns:
        The backend; `KERAS_BACKEND` is set to it.

    Raises:
        UserError: if `KERAS_BACKEND` names a backend that is unknown or not installed, or no
            backend is installed.
    """
    asked = os.environ.get("KERAS_BACKEND")
    installed = [name for name in BACKENDS if importlib.util.find_spec(name)]
    if asked:
        check_choice("KERAS_BACKEND", asked, BACKENDS)
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


def _configured() -> str | None:
    """The backend of Keras' configuration file, or `None`."""
    # Not Path.home(), which is an error for a user without a home.
    home = Path(os.environ.get("KERAS_HOME") or os.path.expanduser("~/.keras"))
    try:
        return json.loads((home / "keras.json").read_text()).get("backend")
    except (OSError, ValueError, AttributeError, RecursionError):
        return None
