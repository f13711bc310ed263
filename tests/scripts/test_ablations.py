"""The ablations of the example: every variant trains and predicts, and differs from the others."""

import csv
import importlib.util
import sys

import keras
import numpy as np
import pytest
from checks import TESTS, make_clip, to_numpy

from keras_cvae import CVAE
from keras_cvae.data.synthetic import builtin_videos

pytestmark = pytest.mark.skipif(keras.backend.backend() != "torch", reason="the example uses torch")
SIZE = (16, 24)
# The parameters of the table in docs/architectures.md; the others have those of "recommended".
PARAMETERS = {
    "half the widths": 207_206,
    "widths times 1.5": 1_805_046,
    "two blocks instead of one": 1_422_734,
    "group norm": 810_142,
    "first frame as context": 810_606,
    "learned prior, as wide as the posterior": 941_886,
    "learned prior, shared with the decoder": 976_510,
}
SOME = ["first frame as context", "mirrored at random", "shifted by up to 1 pixel"]


@pytest.fixture(autouse=True, scope="module")
def _one_thread():
    """Tiny products gain nothing from more, and are slower where other tests share the cores."""
    import torch

    before = torch.get_num_threads()
    torch.set_num_threads(1)
    yield
    torch.set_num_threads(before)


@pytest.fixture(scope="module")
def ablations():
    examples = TESTS.parent / "examples"
    spec = importlib.util.spec_from_file_location("ablations", examples / "ablations.py")
    module = importlib.util.module_from_spec(spec)
    with pytest.MonkeyPatch.context() as patch:
        patch.syspath_prepend(examples)  # as when it is run as a script
        spec.loader.exec_module(module)
    return module


@pytest.fixture(scope="module")
def variants(ablations):
    return sys.modules["ablation_variants"]


def make(variants, name):
    keras.utils.set_random_seed(0)
    return variants.VARIANTS[name]["model"].from_preset("multiscale", seed=0)


def step(model, clip):
    """Loss of one training step, without forcing, and what the model then predicts."""
    model.teacher_forcing_ratio.assign(0.0)
    model.compile(keras.optimizers.Adam(1e-3))
    loss = model.train_on_batch(clip, return_dict=True)["loss"]
    video = model.predict_video(clip["frames"][:, 0], clip["poses"], temperature=1.0, seed=0)
    assert np.isfinite(loss) and np.isfinite(video).all()
    return float(loss), video


@pytest.fixture(scope="module")
def clip():
    return make_clip(frames=3, size=SIZE)


@pytest.fixture(scope="module")
def recommended(clip):
    keras.utils.set_random_seed(0)
    return step(CVAE.from_preset("multiscale", seed=0), clip)


@pytest.mark.slow
def test_every_model_trains_and_predicts_differently(variants, clip, recommended):
    found = [recommended]
    for name, options in variants.VARIANTS.items():
        if "model" in options:
            model = make(variants, name)
            assert model.count_params() == PARAMETERS.get(name, 808_878), name
            found.append(step(model, clip))
            for other in found[:-1]:
                assert found[-1][0] != other[0], name
                assert np.abs(found[-1][1] - other[1]).max() > 0, name


def test_noise_and_blindness_are_not_in_prediction(variants, clip):
    videos, rollouts = [], []
    keras.utils.set_random_seed(0)
    for model in (
        CVAE.from_preset("multiscale", seed=0),
        make(variants, "noise on the fed-back frame"),
        make(variants, "z zero in half of the frames"),
    ):
        videos.append(model.predict_video(clip["frames"][:, 0], clip["poses"], 1.0, seed=0))
        eps = np.ones((2, 2, *model.latent_shape(SIZE)), "float32")
        rollouts.append(to_numpy(model.rollout(**clip, eps=eps).pred))
    plain, noisy, blind = videos
    np.testing.assert_array_equal(plain, noisy)
    np.testing.assert_array_equal(plain, blind)
    np.testing.assert_array_equal(rollouts[0], rollouts[2])  # blind in training alone
    assert np.abs(rollouts[0] - rollouts[1]).max() > 0


def test_half_of_the_latents_are_zero_in_training(variants):
    model = make(variants, "z zero in half of the frames")
    kept = to_numpy(model._blinded(keras.ops.ones((400, 2, 3, 8))))
    assert set(kept.reshape(400, -1).mean(axis=1)) == {0, 1}
    assert 0.4 < kept.mean() < 0.6


def test_the_context_is_the_first_frame_of_each_video(variants, clip):
    model = make(variants, "first frame as context")
    first, poses, z = clip["frames"][:, 0], clip["poses"], np.zeros((2, 2, 2, 3, 8), "float32")
    both = model.predict_video(first, poses, z=z)
    for frame, pose, latent, expected in zip(first, poses, z, both, strict=True):
        np.testing.assert_allclose(
            model.predict_video(frame, pose, z=latent), expected, atol=1e-5, rtol=0
        )
    streams = [model.stream_video(first[[i]], poses[[i]], z=z[[i]]) for i in range(2)]
    for t, frames in enumerate(zip(*streams, strict=True), start=1):  # by turns
        np.testing.assert_allclose(np.concatenate(frames), both[:, t], atol=1e-5, rtol=0)


def test_posterior_with_context(variants, clip):
    model = make(variants, "first frame as context")
    frames, poses = clip["frames"][1], clip["poses"][1]
    rollout = model.rollout(frames[None], poses[None])
    for found, expected in zip(
        model.infer_latents(frames, poses), (rollout.mu, rollout.logvar), strict=True
    ):
        np.testing.assert_allclose(found, to_numpy(expected)[0], atol=1e-5, rtol=0)


@pytest.mark.slow
def test_the_script_leaves_a_row_for_each_variant(
    ablations, variants, tmp_path, monkeypatch, capsys
):
    def videos(data, split, frame_size, cache=None):
        return builtin_videos(split, frame_size=(16, 32), frames=70 if split == "train" else 8)

    monkeypatch.setattr(ablations, "load_videos", videos)
    for name in ("recommended", *SOME):
        small = {**variants.VARIANTS[name], "clip_length": 4, "batch_size": 2}
        monkeypatch.setitem(variants.VARIANTS, name, small)
    # The number of threads changes the last digits of every test that comes after.
    monkeypatch.setattr(ablations.torch, "set_num_threads", lambda threads: None)
    path = tmp_path / "rows.csv"
    arguments = ["--minutes", "0.001", "--csv", str(path), "--only", "recommended", *SOME]
    monkeypatch.setattr(sys, "argv", ["ablations.py", *arguments])
    ablations.main()
    assert "| recommended | 808878 |" in capsys.readouterr().out
    with open(path) as file:
        rows = list(csv.DictReader(file))
    assert [row["variant"] for row in rows] == ["recommended", *SOME]
    assert len({row["psnr"] for row in rows}) == len(rows)
