"""Where downloaded files are kept."""

import os
import sys
from pathlib import Path

from keras_cvae.errors import UserError


def cache_folder() -> Path:
    """The folder of the files that are downloaded once: `keras_cvae` in the user's cache folder.

    Returns:
        The path. The folder may not exist yet.

    Raises:
        UserError: if the user has no home folder, and no variable names another one.
    """
    if given := os.environ.get("XDG_CACHE_HOME"):
        return Path(given) / "keras_cvae"
    if sys.platform == "win32" and (local := os.environ.get("LOCALAPPDATA")):
        return Path(local) / "keras_cvae" / "cache"
    try:
        home = Path.home()
    except RuntimeError as error:
        raise UserError(
            "Downloaded files have no place to be kept, as this user has no home folder. Set the "
            "environment variable XDG_CACHE_HOME to a folder."
        ) from error
    return home / ("Library/Caches" if sys.platform == "darwin" else ".cache") / "keras_cvae"
