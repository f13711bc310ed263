import pytest

from keras_cvae.data.same_size import check_same_size
from keras_cvae.errors import UserError


def test_a_pose_has_the_size_of_its_frame():
    check_same_size("0.png", (4, 6), "poses/0.png", (4, 6))
    with pytest.raises(UserError, match=r": 0\.png is 4 x 6, poses/0\.png 6 x 4 \(height x width"):
        check_same_size("0.png", (4, 6), "poses/0.png", (6, 4))
