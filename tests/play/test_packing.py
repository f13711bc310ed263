import json

import numpy as np
import pytest
from play_checks import unpacked

from keras_cvae.play.packing import KINDS, pack


@pytest.mark.parametrize(
    ("given", "kind"),
    [
        (np.arange(24, dtype=np.uint8).reshape(2, 3, 4), "uint8"),
        (np.linspace(-1, 1, 6, dtype=np.float32).reshape(3, 2), "float32"),
        (np.array([[1.5, np.nan], [np.inf, -2.0]]), "float32"),
        (np.arange(4), "float32"),
        (np.zeros((0, 19, 2)), "float32"),
        (np.arange(12, dtype=np.float32).reshape(3, 4).T, "float32"),
        (np.arange(3, dtype=">f4"), "float32"),
    ],
)
def test_an_array_goes_through_json(given, kind):
    packed = json.loads(json.dumps(pack(given), allow_nan=False))
    assert packed["dtype"] == kind and kind in KINDS
    np.testing.assert_array_equal(unpacked(packed), given)


def test_pose_images_become_small():
    poses = np.zeros((100, 32, 64, 3), np.uint8)
    poses[:, 10:20, 30] = 255
    assert len(pack(poses)["data"]) < poses.nbytes / 50
