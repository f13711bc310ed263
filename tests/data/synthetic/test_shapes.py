import numpy as np
import pytest

from keras_cvae.data.synthetic.shapes import capsule, rounded, solid


def test_a_capsule_of_no_length_is_a_disc():
    point = np.array([[3.0, 4.0]])
    outline = capsule(point, point, 2.0, 2.0)
    np.testing.assert_allclose(np.linalg.norm(outline - point[:, None], axis=2), 2.0)


@pytest.mark.parametrize("nearer", [0.1, -0.1])
def test_what_is_nearer_the_camera_is_lower_in_the_picture(project, nearer):
    far, near = project(np.array([[0, 0.5, 0], [0, 0.5, nearer]]))
    assert (near[1] > far[1]) == (nearer > 0)
    assert near[0] == far[0]


def test_near_shapes_are_lighter_than_far_ones():
    points, depth = np.zeros((3, 4, 2)), np.array([-0.2, 0.0, 0.1])
    colours = solid(points, (100, 150, 200), depth).colours
    assert (np.diff(colours, axis=0) > 0).all()
    np.testing.assert_array_equal(colours[1], (100, 150, 200))
    assert solid(points, (250, 250, 250), depth).colours.max() == 255


def test_a_limb_is_lit_from_the_upper_left_and_the_light_stays_inside():
    start, end = np.array([[10.0, 10.0]]), np.array([[10.0, 30.0]])
    dark, lit = rounded(start, end, 4.0, 4.0, (200, 100, 50), np.zeros(1))
    assert (lit.colours > dark.colours).all()
    assert lit.points[..., 0].mean() < dark.points[..., 0].mean()
    assert lit.points[..., 0].min() >= dark.points[..., 0].min()
    assert lit.points[..., 1].min() >= dark.points[..., 1].min()
