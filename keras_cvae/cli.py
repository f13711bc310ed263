"""What the scripts share: errors as one line, the backend, the configuration on top."""

import contextlib
import os
import sys

from keras_cvae.backend import choose_backend

_QUIET = {
    # TensorFlow's start-up notes would bury ours; its errors still show.
    "TF_CPP_MIN_LOG_LEVEL": "2",
}


@contextlib.contextmanager
def reported_errors():
    """Turns a `ValueError` into one line on stderr and exit code 2, without a traceback."""
    try:
        yield
    except ValueError as error:
        print(f"error: {error}", file=sys.stderr)
        sys.exit(2)


def start_backend():
    """Chooses the Keras backend, says which, and returns it; call it before Keras is imported."""
    asked = bool(os.environ.get("KERAS_BACKEND"))
    for name, value in _QUIET.items():
        os.environ.setdefault(name, value)
    backend = choose_backend()
    how = "KERAS_BACKEND" if asked else "installed; set KERAS_BACKEND for another"
    print(f"backend: {backend} ({how})", flush=True)
    return backend


def show(values):
    """Prints settings, one a line, aligned."""
    width = max(map(len, values))
    for name, value in values.items():
        print(f"  {name:{width}}  {value}")
    sys.stdout.flush()
