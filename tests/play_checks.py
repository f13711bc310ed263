"""What the tests of the page share."""

import base64
import os
import zlib

import numpy as np
import pytest

from keras_cvae.errors import UserError
from keras_cvae.play.web_runtime import web_runtime


def unpacked(packed):
    """The array that `packing.pack` made JSON of, as the page reads it; `None` of `None`."""
    if packed is None:
        return None
    data = zlib.decompress(base64.b64decode(packed["data"], validate=True))
    return np.frombuffer(data, np.dtype(packed["dtype"]).newbyteorder("<")).reshape(packed["shape"])


def needs_the_web_runtime():
    """Skips a test where ONNX Runtime Web cannot be had, and gives it otherwise."""
    try:
        return web_runtime()
    except UserError as error:
        # Where the browser was installed for the tests, this is a failure.
        assert not os.environ.get("KERAS_CVAE_BROWSER"), error
        pytest.skip(str(error))
