import numpy as np

from keras_cvae.data.synthetic.shadow import Shadow


def test_the_shadow_darkens_the_floor_and_fades_in_a_jump(turned, project):
    dark = []
    for height in (0.0, 0.15):
        canvas = np.full((320, 300, 3), 200, np.uint8)
        Shadow(turned(0, height=height), project, 2).draw(canvas, 0)
        assert (canvas[:200] == 200).all()
        dark.append((200 - canvas.astype(int)).sum())
    assert dark[1] < 0.6 * dark[0]


def test_a_ball_has_a_shadow_that_fades_as_it_rises(turned, project):
    dark = []
    for places in (None, [[0.4, 0.5, 0.2]], [[0.4, 0.095, 0.2]]):
        canvas = np.full((320, 300, 3), 200, np.uint8)
        ball = None if places is None else np.array(places)
        Shadow(turned(0), project, 2, ball).draw(canvas, 0)
        assert (canvas[:200] == 200).all()
        dark.append((200 - canvas.astype(int)).sum())
    assert dark[0] < dark[1] < dark[2] and dark[1] - dark[0] < 0.2 * (dark[2] - dark[0])
