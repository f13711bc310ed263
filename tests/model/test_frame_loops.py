"""Loops over frames give what a function gives of each frame."""

import numpy as np
import pytest
from checks import to_numpy
from keras import ops

from keras_cvae.model import frame_loops
from keras_cvae.model.frame_loops import all_at_once, one_by_one


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


@pytest.mark.parametrize("scans", [False, True])
@pytest.mark.parametrize("images_at_once", [1, 4, 5, 14, 100])
def test_groups_of_frames_are_all_frames(images_at_once, scans, monkeypatch):
    monkeypatch.setattr(frame_loops, "scans_pay", lambda: scans)
    rng = np.random.default_rng(0)
    sequences = [ops.convert_to_tensor(rng.random((2, 7, 4, 4, 3))) for _ in range(3)]
    sizes = []

    def decode(features, pose, latent):
        sizes.append(features.shape[0])
        return [features * pose + latent, pose]

    grouped = all_at_once(decode, images_at_once, *sequences)
    assert max(sizes) <= max(images_at_once, 2)
    for one, other in zip(grouped, all_at_once(decode, None, *sequences), strict=True):
        assert one.shape == (2, 7, 4, 4, 3)
        np.testing.assert_allclose(to_numpy(one), to_numpy(other), rtol=1e-6)
