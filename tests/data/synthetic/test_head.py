import numpy as np

from keras_cvae.data.synthetic.head import head_shapes


def test_the_face_shows_in_front_and_not_from_behind(turned, project):
    body = turned(0, 90, 180)
    hair, _, face, *_ = head_shapes(body, project)[1:]
    np.testing.assert_array_equal(face.visible, [True, True, False])
    centre = project(body.joints["head"])
    width = np.ptp(face.points[..., 0], axis=1)
    assert width[0] > 1.2 * width[1]
    assert face.points[1, :, 0].mean() > centre[1, 0] + 4  # faces the right


def test_a_face_seen_from_the_side_ends_at_the_edge_of_the_head(turned, project):
    body = turned(*range(0, 360, 15))
    centre = project(body.joints["head"])[:, None]
    for shape in head_shapes(body, project)[2:]:
        reach = np.linalg.norm(shape.points - centre, axis=2)
        assert reach.max() <= 8.5 + 1e-6
