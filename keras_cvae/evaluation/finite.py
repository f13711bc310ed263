"""What is not finite: refused in predictions, null in results."""

from collections.abc import Iterable
from typing import Any

import numpy as np

from keras_cvae.images import check_finite


def check_prediction(prediction: Iterable[np.ndarray], name: str) -> None:
    """Checks that a predicted video is finite.

    Args:
        prediction: (T, H, W, 3).
        name: of the video.

    Raises:
        NotFiniteError: if it is not; the message names the first such frame.
    """
    for t, frame in enumerate(prediction):
        check_finite(frame, f"The prediction of {name}, from frame {t} on,")


def finite_or_null(values: Any) -> Any:
    """Results as JSON can hold them: it has no NaN and no infinity, so they become `None`.

    Args:
        values: a number, or a dict or list of them, at any depth. Other values stay.

    Returns:
        The same, new.
    """
    if isinstance(values, dict):
        return {name: finite_or_null(value) for name, value in values.items()}
    if isinstance(values, list | tuple):
        return [finite_or_null(value) for value in values]
    if isinstance(values, float | np.floating) and not np.isfinite(values):
        return None
    return values
