"""Pose images that the page draws, and those of draw_skeleton."""

import json

import numpy as np
import pytest
from page_server import skeleton

from keras_cvae.data.skeleton import draw_skeleton
from keras_cvae.data.synthetic.dataset import dance_in_depth

DRAW = """(async (skeleton, size, poses) => {{
  const {{ SkeletonPen }} = await import("play/skeleton");
  const pen = new SkeletonPen(skeleton, size);
  const images = poses.map(([joints, depth]) =>
    pen.draw(joints.map((value) => value ?? NaN), depth));
  const all = new Uint8Array(images.length * images[0].length);
  images.forEach((image, i) => all.set(image, i * image.length));
  return all;
}})({})"""


def drawn(page, size, joints, depth):
    """What the page draws, (N, height, width, 3)."""
    rows = [
        [None if np.isnan(x) else float(x) for x in row] for row in joints.reshape(len(joints), -1)
    ]
    depth = [None] * len(rows) if depth is None else depth.tolist()
    poses = [list(each) for each in zip(rows, depth, strict=True)]
    arguments = ", ".join(map(json.dumps, (skeleton(size), size, poses)))
    data = page.evaluate_bytes(DRAW.format(arguments))
    return np.frombuffer(data, np.uint8).reshape(-1, *size, 3)


def compare(got, joints, size, depth):
    depth = [None] * len(joints) if depth is None else depth
    sizes = [size] * len(joints)
    want = np.stack([draw_skeleton(*each) for each in zip(joints, sizes, depth, strict=True)])
    deviation = np.abs(got.astype(float) - want)
    skeletons = (want.max(-1) > 0) | (got.max(-1) > 0)
    assert deviation.mean((1, 2, 3)).max() < 0.5, "2/255 is allowed"
    # Most of a pose image is black; the skeleton alone is much like it, too.
    assert deviation[skeletons].mean() < 2
    return deviation


@pytest.mark.parametrize("size", [(32, 64), (100, 140), (96, 40)])
def test_a_dance_is_drawn_as_by_draw_skeleton(page, size):
    joints, depth = (each[::13].astype(np.float32) for each in dance_in_depth(5, 390, size))
    compare(drawn(page, size, joints, depth), joints, size, depth)
    plain = drawn(page, size, joints, None)
    compare(plain, joints, size, None)
    assert (plain != drawn(page, size, joints, depth)).any(), "depth has no effect"


def test_joints_that_are_not_visible_are_left_out(page):
    size = (32, 64)
    rng = np.random.default_rng(0)
    joints = rng.uniform([-10, -10], [74, 42], (30, 19, 2)).astype(np.float32)
    joints[rng.random((30, 19)) < 0.2] = np.nan
    for value in (0, -1, 2e6):
        joints[rng.random((30, 19)) < 0.05] = value
    depth = rng.normal(size=(30, 19)).astype(np.float32)
    assert compare(drawn(page, size, joints, depth), joints, size, depth).max() < 60
    joints[:] = np.nan
    assert drawn(page, size, joints, depth).max() == 0
