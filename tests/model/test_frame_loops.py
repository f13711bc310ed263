"""Loops over frames give what a function gives of each frame."""

import numpy as np
import pytest
from checks import to_numpy
from keras import ops

from keras_cvae.model import frame_loops
from keras_cvae.model.frame_loops import in_groups, one_by_one


@pytest.mark.parametrize("pair", [False, True])
def test_the_unrolled_loop_is_the_scan(pair, monkeypatch):
    monkeypatch.setattr(frame_loops, "scans_pay", lambda: True)  # also on torch, which has loops
    rng = np.random.default_rng(0)
    first, poses, z = (
        ops.convert_to_tensor(rng.random(shape).astype("float32"))
        for shape in ((2, 4, 4, 3), (2, 3, 4, 4, 3), (2, 3, 4, 4, 3))
    )

    def step(carry, pose, latent):
        if pair:
            return carry[0] * pose + latent, carry[1] - pose
        return carry * pose + latent

    first = (first, first) if pair else first
    scan, loop = (one_by_one(step, first, poses, z, unroll=on) for on in (False, True))
    for one, other in zip(*(x if pair else (x,) for x in (scan, loop)), strict=True):
        assert one.shape == (2, 3, 4, 4, 3)
        np.testing.assert_allclose(to_numpy(one), to_numpy(other), rtol=1e-6)


GROUPS = {1: [2] * 7, 4: [4, 4, 4, 2], 5: [4, 4, 4, 2], 8: [8, 6], 14: [14], 100: [14]}


@pytest.mark.parametrize("way", ["loop", "scan", "unrolled"])
@pytest.mark.parametrize("images_at_once", GROUPS)
def test_groups_of_frames_are_all_frames(images_at_once, way, monkeypatch):
    monkeypatch.setattr(frame_loops, "scans_pay", lambda: way != "loop")
    rng = np.random.default_rng(0)
    sequences = [ops.convert_to_tensor(rng.random((2, 7, 4, 4, 3))) for _ in range(3)]
    sizes = []

    def decode(features, pose, latent):
        sizes.append(features.shape[0])
        return [features * pose + latent, pose]

    like = [sequences[0][:, 0]] * 2
    grouped = in_groups(decode, images_at_once, like, *sequences, unroll=way == "unrolled")
    # A scan is of single time steps of the two clips; on a backend that traces it is called once.
    assert sizes == GROUPS[images_at_once] if way != "scan" else set(sizes) == {2}
    for one, other in zip(grouped, in_groups(decode, None, like, *sequences), strict=True):
        assert one.shape == (2, 7, 4, 4, 3)
        np.testing.assert_allclose(to_numpy(one), to_numpy(other), rtol=1e-6)
