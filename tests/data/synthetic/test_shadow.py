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
