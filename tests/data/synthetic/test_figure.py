import numpy as np
import pytest

from keras_cvae.data.synthetic.figure import Figure


@pytest.fixture
def drawn(project):
    def draw(body):
        canvas = np.zeros((160, 150, 3), np.uint8)
        Figure(body, project, 1).draw(canvas, 0)
        return canvas

    return draw


def test_the_figure_surrounds_its_joints(turned, drawn, project):
    body = turned(0)
    image = drawn(body).any(axis=2)
    for name, points in body.joints.items():
        x, y = project(points)[0]
        assert image[int(y), int(x)], name
    rows = np.flatnonzero(image.any(axis=1))
    assert 95 <= rows[-1] - rows[0] <= 108  # a body height, roughly


def test_a_figure_in_profile_is_narrower(turned, drawn):
    front, side = ((drawn(turned(yaw)).any(axis=2)).sum() for yaw in (0, 90))
    assert side < 0.85 * front


def test_hands_before_the_belly_are_hidden_from_behind(turned, drawn, project):
    skin = {}
    for yaw in (0, 180):
        body = turned(yaw, arms=(30, 60, 75, 120))
        image = drawn(body).astype(int)
        for side in ("left", "right"):
            x, y = project(body.joints[f"{side}_wrist"])[0].astype(int)
            red, green, blue = image[y - 1, x]
            skin[yaw, side] = red > 150 and 1.15 < red / green < 1.5 and green > 1.1 * blue
    assert skin == {
        (0, "left"): True,
        (0, "right"): True,
        (180, "left"): False,
        (180, "right"): False,
    }
