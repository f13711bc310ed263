"""How a cost grows with a size, and whether memory does."""

import math
from collections.abc import Sequence

import numpy as np

LINEAR = 0.15  # how far an exponent may be from 1 to be called linear
_FLAT_SHARE, _FLAT_MB = 0.01, 5.0  # growth after the first tenth of a video that counts as none


def exponent(values: Sequence[float], seconds: Sequence[float]) -> float:
    """The p of seconds ~ value ** p, by least squares of the logarithms; NaN of one value."""
    if len(values) < 2:
        return math.nan
    return float(np.polyfit(np.log(values), np.log(seconds), 1)[0])


def linear_from(values: Sequence[float], seconds: Sequence[float]) -> float | None:
    """The smallest value from which on every step to the next has an exponent close to 1.

    Args:
        values, seconds: of the same length, values ascending.

    Returns:
        The value, or `None` where the last step is not linear either.
    """
    start = None
    for i in range(len(values) - 2, -1, -1):
        if abs(exponent(values[i : i + 2], seconds[i : i + 2]) - 1) > LINEAR:
            break
        start = values[i]
    return start


def memory_verdict(readings: Sequence[tuple[int, float | None]]) -> str:
    """Whether resident memory is flat after the first tenth of a video, as one line.

    Args:
        readings: pairs (frame number, MB or `None`).
    """
    known = [(frame, mb) for frame, mb in readings if mb is not None]
    if len(known) < 2:
        return "resident memory is not known on this system"
    last, end = known[-1]
    frame, begin = next(pair for pair in known if pair[0] >= last / 10)
    growth = end - begin
    flat = growth <= max(_FLAT_MB, _FLAT_SHARE * begin)
    return (
        f"resident memory is {'flat' if flat else 'NOT flat'}: {begin:.0f} MB at frame {frame:,}, "
        f"{end:.0f} MB at frame {last:,} ({growth:+.1f} MB)"
    )
