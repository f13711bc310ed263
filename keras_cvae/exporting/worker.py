"""The process that `elsewhere` starts.

KERAS_BACKEND=tensorflow python -m keras_cvae.exporting.worker model.keras out format H W
"""

import sys

from keras_cvae.errors import UserError
from keras_cvae.exporting.exporter import export
from keras_cvae.model.loading import load_model


def main(model: str, path: str, format: str, height: str, width: str) -> None:
    """Loads a `.keras` file and exports it.

    Args:
        model: the `.keras` file.
        path: what to write.
        format: a key of `FORMATS`.
        height, width: of the frames, in pixels.

    Raises:
        UserError: as for `export`.
    """
    export(load_model(model, compile=False), path, format, (int(height), int(width)))


if __name__ == "__main__":
    try:
        main(*sys.argv[1:])
    except UserError as error:
        sys.exit(str(error))
