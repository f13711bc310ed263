"""Cost against sizes: the figure."""

import cv2
import pytest
from benchmarking.plot import plot_sizes

from keras_cvae.errors import UserError


def test_picture(rows, tmp_path):
    path = plot_sizes(rows, tmp_path / "sizes.png")
    assert cv2.imread(str(path)).shape[1] > 1000
    with pytest.raises(UserError, match="exists"):
        plot_sizes(rows, path)
    with pytest.raises(UserError, match="no rows"):
        plot_sizes([], tmp_path / "none.png")
