"""What the scripts share: errors as one line, the backend, the configuration on top."""

import contextlib
import os
import sys
import warnings

from keras_cvae.backend import choose_backend

_QUIET = {
    # What TensorFlow logs at its start would bury ours; what fails still raises.
    "TF_CPP_MIN_LOG_LEVEL": "3",
}


@contextlib.contextmanager
def reported_errors():
    """Turns what people can mend into one line on stderr, without a traceback.

    A `ValueError` or `OSError` ends the script with exit code 2, Ctrl-C with 130; warnings are
    printed as one line each.
    """
    warnings.formatwarning = lambda message, *_: f"warning: {message}\n"
    try:
        yield
    except (ValueError, OSError) as error:
        print(f"error: {error}", file=sys.stderr)
        sys.exit(2)
    except KeyboardInterrupt:
        print("\nstopped", file=sys.stderr)
        sys.exit(130)


def start_backend(preferred=None):
    """Chooses the Keras backend, says which, and returns it; call it before Keras is imported.

    Args:
        preferred: str, the backend to take where KERAS_BACKEND does not say, or `None`.
    """
    asked = bool(os.environ.get("KERAS_BACKEND"))
    for name, value in _QUIET.items():
        os.environ.setdefault(name, value)
    backend = choose_backend(preferred)
    how = "KERAS_BACKEND" if asked else "installed; set KERAS_BACKEND for another"
    print(f"backend: {backend} ({how})", flush=True)
    return backend


def show(values):
    """Prints settings, one a line, aligned."""
    width = max(map(len, values))
    for name, value in values.items():
        print(f"  {name:{width}}  {value}")
    sys.stdout.flush()
