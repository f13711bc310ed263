"""An export with another backend than the one in use, in a separate process."""

import os
import subprocess
import sys
from pathlib import Path

from keras_cvae.errors import UserError
from keras_cvae.model.cvae import CVAE


def write_elsewhere(
    model: CVAE, path: Path, format: str, frame_size: tuple[int, int], backend: str
) -> None:
    """Exports a model with another backend. A `.keras` file passes it to the other process.

    Args:
        model: of float32.
        path: what to write, with a manifest next to it.
        format: a key of `FORMATS`.
        frame_size: (height, width).
        backend: the backend to export with.

    Raises:
        UserError: if the export fails.
    """
    saved = path.with_name("through.keras")
    model.save(saved)
    arguments = [saved, path, format, *frame_size]
    # This package is found where it was imported from, installed or not; -P: not in the current
    # folder.
    places = [str(Path(__file__).parents[2]), os.environ.get("PYTHONPATH")]
    path_variable = os.pathsep.join(filter(None, places))
    done = subprocess.run(
        [sys.executable, "-P", "-m", "keras_cvae.exporting.worker", *map(str, arguments)],
        env={**os.environ, "KERAS_BACKEND": backend, "PYTHONPATH": path_variable},
        capture_output=True,
        text=True,
    )
    if done.returncode:
        last_line = (done.stderr.strip() or "no message").splitlines()[-1]
        raise UserError(f"Exporting {format} with {backend} failed: {last_line}")
    saved.unlink()
