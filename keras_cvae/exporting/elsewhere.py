"""An export with another backend than the one in use, in a process of its own.

KERAS_BACKEND=tensorflow python -m keras_cvae.exporting.elsewhere model.keras out format H W
"""

import os
import subprocess
import sys
from pathlib import Path


def write_elsewhere(model, path, format, frame_size, backend):
    """Exports a model with another backend, through a `.keras` file.

    Args:
        model: float32 `CVAE`.
        path: `Path` to write, with a manifest beside it.
        format: str, the format.
        frame_size: (height, width).
        backend: str, the backend to do it with.

    Raises:
        ValueError: if that fails.
    """
    saved = path.with_name("through.keras")
    model.save(saved)
    arguments = [saved, path, format, *frame_size]
    # From where this package was imported, installed or not; -P: and not from the current folder.
    places = [str(Path(__file__).parents[2]), os.environ.get("PYTHONPATH")]
    path_variable = os.pathsep.join(filter(None, places))
    done = subprocess.run(
        [sys.executable, "-P", "-m", "keras_cvae.exporting.elsewhere", *map(str, arguments)],
        env={**os.environ, "KERAS_BACKEND": backend, "PYTHONPATH": path_variable},
        capture_output=True,
        text=True,
    )
    if done.returncode:
        last_line = (done.stderr.strip() or "no message").splitlines()[-1]
        raise ValueError(f"Exporting {format} with {backend} failed: {last_line}")
    saved.unlink()


def main(model, path, format, height, width):
    from keras_cvae.exporting.exporter import export
    from keras_cvae.model.loading import load_model

    export(load_model(model, compile=False), path, format, (int(height), int(width)))


if __name__ == "__main__":
    try:
        main(*sys.argv[1:])
    except ValueError as error:
        sys.exit(str(error))
