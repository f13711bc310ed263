"""What the tests of the page share."""

import base64
import zlib

import numpy as np


def unpacked(packed):
    """The array that `packing.pack` made JSON of, as the page reads it; `None` of `None`."""
    if packed is None:
        return None
    data = zlib.decompress(base64.b64decode(packed["data"], validate=True))
    return np.frombuffer(data, np.dtype(packed["dtype"]).newbyteorder("<")).reshape(packed["shape"])
