"""Cost against sizes: the picture."""

import cv2
import pytest
from benchmarking.plot import plot_sizes


def test_picture(rows, tmp_path):
    path = plot_sizes(rows, tmp_path / "sizes.png")
    assert cv2.imread(str(path)).shape[1] > 1000
    with pytest.raises(ValueError, match="exists"):
        plot_sizes(rows, path)
    with pytest.raises(ValueError, match="no rows"):
        plot_sizes([], tmp_path / "none.png")
