"""One person in one frame, whatever found it."""

from typing import NamedTuple

import numpy as np


class Person(NamedTuple):
    """One person in one frame.

    Args:
        joints: (19, 2) float64, x and y in pixels for each of `data.skeleton.JOINTS`; (0, 0) is the
            top left corner of the image. A joint that was not found is NaN.
        scores: (19,) float64 in [0, 1], how sure it is that each joint is visible; 0 where it was
            not found.
    """

    joints: np.ndarray
    scores: np.ndarray

    @property
    def place(self) -> np.ndarray:
        """(2,) the mean of the joints that were found; NaN if none was."""
        found = ~np.isnan(self.joints).any(axis=1)
        return self.joints[found].mean(axis=0) if found.any() else np.full(2, np.nan)
