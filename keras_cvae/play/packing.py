"""Arrays in JSON: compressed, as text."""

import base64
import zlib
from typing import Any

import numpy as np

KINDS = ("uint8", "float32")  # what the page reads, both little endian


def pack(array: np.ndarray) -> dict[str, Any]:
    """An array as values of JSON.

    Args:
        array: of any shape. uint8 is kept, and any other number becomes float32.

    Returns:
        dict with `dtype`, one of `KINDS`, `shape`, and `data`, the base64 of the zlib stream of the
        values in row-major order.

    Example:
        >>> pack(np.zeros(2, np.uint8))["shape"]
        [2]
    """
    array = np.asarray(array)
    kind = KINDS[0] if array.dtype == np.uint8 else KINDS[1]
    stored = np.ascontiguousarray(array, np.dtype(kind).newbyteorder("<"))
    data = base64.b64encode(zlib.compress(stored.tobytes(), 9)).decode("ascii")
    return {"dtype": kind, "shape": list(array.shape), "data": data}
