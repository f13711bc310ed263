"""Checkpoints of the published code: read, written, and refused."""

import warnings

import numpy as np
import pytest
from checks import TINIEST, TINY, make_clip, run_python, to_numpy
from published_checks import GOLDEN_CHECKPOINT, same_weights

import keras_cvae
from keras_cvae import CVAE, load_lab_checkpoint, save_lab_checkpoint
from keras_cvae.published.names import lab_variables, to_keras, to_published

torch = pytest.importorskip("torch", reason="torch reads and writes the published checkpoints")


# --- reading -------------------------------------------------------------------------------------


def test_a_published_checkpoint_is_a_model_of_its_widths_and_the_published_recipe(checkpoint):
    model = load_lab_checkpoint(GOLDEN_CHECKPOINT, output="none")
    config = model.get_config()
    assert {name: config[name] for name in TINY} == TINY
    published = CVAE.from_preset("lab", "published").get_config()
    for name in set(config) - set(TINY) - {"name"}:
        assert config[name] == published[name], name
    assert float(model.teacher_forcing_ratio) == pytest.approx(checkpoint["tfr"])
    assert same_weights(model, checkpoint["state_dict"])


def test_without_a_bound_it_says_that_none_is_assumed():
    with pytest.warns(UserWarning, match='no bound is assumed.*Pass output="sigmoid"') as caught:
        model = load_lab_checkpoint(GOLDEN_CHECKPOINT)
    assert model.output_bound == "none"
    (said,) = [one for one in caught if "no bound" in str(one.message)]
    assert said.filename == __file__ and "\n" not in str(said.message)
    with warnings.catch_warnings():
        warnings.simplefilter("error", UserWarning)
        load_lab_checkpoint(GOLDEN_CHECKPOINT, output="none")


def test_overrides_replace_the_recipe(checkpoint):
    model = load_lab_checkpoint(GOLDEN_CHECKPOINT, output="sigmoid", temperature=0.0)
    assert model.output_bound == "sigmoid"
    assert model.temperature == 0.0
    assert same_weights(model, checkpoint["state_dict"])


def test_it_is_ready_to_predict_train_and_save(tmp_path):
    model = load_lab_checkpoint(GOLDEN_CHECKPOINT, output="none")
    clip = make_clip(frames=3)
    video = model.predict_video(clip["frames"][:, 0], clip["poses"], seed=0)
    model.save(tmp_path / "model.keras")
    again = keras_cvae.load_model(tmp_path / "model.keras")
    again_video = again.predict_video(clip["frames"][:, 0], clip["poses"], seed=0)
    np.testing.assert_array_equal(again_video, video)
    again.compile("adam")
    assert np.isfinite(float(again.train_on_batch(clip, return_dict=True)["loss"]))


# --- writing -------------------------------------------------------------------------------------


def test_the_published_code_loads_what_is_written(tmp_path):
    from reference_torch import ReferenceCVAE

    widths = {
        "frame_features": 11,
        "pose_features": 5,
        "latent_maps": 6,
        "decoder_features": 19,
    }
    model = CVAE.from_preset("lab", "published", **widths)
    for index, variable in enumerate(model.architecture.pose_norm.weights):  # not only 0 and 1
        variable.assign(np.linspace(0.5, 1.5 + index, variable.shape[0]))
    model.teacher_forcing_ratio.assign(0.25)
    save_lab_checkpoint(model, tmp_path / "out.ckpt")

    read = torch.load(tmp_path / "out.ckpt", weights_only=True)
    assert set(read) == {"state_dict", "optimizer", "lr", "tfr", "last_epoch"}
    assert (read["lr"], read["tfr"], read["last_epoch"]) == (1e-3, 0.25, 0)
    theirs = ReferenceCVAE(*widths.values()).eval()
    theirs.load_state_dict(read["state_dict"], strict=True)
    clip = make_clip(frames=3, size=(7, 9), eps_maps=6)
    with torch.no_grad():
        frames, poses = (
            torch.from_numpy(np.moveaxis(clip[key], -1, 2) / np.float32(255))
            for key in ("frames", "poses")
        )
        noise = torch.from_numpy(np.moveaxis(clip["eps"], -1, 2).copy())
        expected = theirs.rollout(frames, poses, noise, teacher_forcing=False)
    ours = model.rollout(**clip)
    for mine, other in zip(ours, expected, strict=True):
        assert np.abs(to_numpy(mine) - np.moveaxis(other.numpy(), 2, -1)).max() < 1e-4


def test_there_and_back_is_the_same(tmp_path, checkpoint):
    model = load_lab_checkpoint(GOLDEN_CHECKPOINT, output="none")
    model.compile("sgd")
    model.optimizer.learning_rate = 0.02
    save_lab_checkpoint(model, tmp_path / "back.pt")
    back = torch.load(tmp_path / "back.pt", weights_only=True)
    assert back["state_dict"].keys() == checkpoint["state_dict"].keys()
    for key, value in checkpoint["state_dict"].items():
        assert back["state_dict"][key].dtype == value.dtype, key
        assert back["state_dict"][key].shape == value.shape, key
    assert same_weights(model, back["state_dict"])
    assert back["lr"] == pytest.approx(0.02)


def test_a_bounded_output_is_said(tmp_path):
    model = CVAE("lab", **TINIEST, output="sigmoid")
    with pytest.warns(UserWarning, match="bounds its output .sigmoid."):
        save_lab_checkpoint(model, tmp_path / "bounded.ckpt")
    with warnings.catch_warnings():
        warnings.simplefilter("error", UserWarning)
        save_lab_checkpoint(CVAE("lab", **TINIEST, output="none"), tmp_path / "free.ckpt")


def test_what_is_not_of_the_architecture_is_refused(tmp_path):
    with pytest.raises(ValueError, match="'lab' alone.*got 'multiscale'"):
        save_lab_checkpoint(CVAE.from_preset("multiscale"), tmp_path / "out.ckpt")
    with pytest.raises(ValueError, match="of a CVAE.*got <class 'dict'>"):
        save_lab_checkpoint({}, tmp_path / "out.ckpt")
    for prior in ("pose", "learned"):
        with pytest.raises(ValueError, match=rf"prior N\(0, I\) alone.*prior '{prior}'.*another"):
            save_lab_checkpoint(CVAE("lab", **TINIEST, prior=prior), tmp_path / "out.ckpt")
    assert not list(tmp_path.iterdir())


def test_nothing_is_overwritten_and_nothing_is_written_in_part(tmp_path, monkeypatch):
    model = CVAE("lab", **TINIEST, output="none")
    path = tmp_path / "out.ckpt"
    path.write_bytes(b"mine")
    with pytest.raises(ValueError, match="exists already"):
        save_lab_checkpoint(model, path)
    with pytest.raises(ValueError, match="does not exist; make it"):
        save_lab_checkpoint(model, tmp_path / "absent" / "out.ckpt")

    def fails(content, target):
        target.write_bytes(b"half")
        raise OSError("disk full")

    monkeypatch.setattr(torch, "save", fails)
    with pytest.raises(OSError, match="disk full"):
        save_lab_checkpoint(model, path, overwrite=True)
    assert path.read_bytes() == b"mine"
    assert [p.name for p in tmp_path.iterdir()] == ["out.ckpt"]


# --- refusing ------------------------------------------------------------------------------------


def without(state, key):
    return {k: v for k, v in state.items() if k != key}


BAD_STATES = {
    "a missing weight": (
        lambda s: without(s, "Generator.3.conv2.bias"),
        "1 weights are missing: Generator.3.conv2.bias. The first keys in it are frame_tr",
    ),
    "a missing width": (
        lambda s: without(s, "Decoder_Fusion.5.bias"),
        "no Decoder_Fusion.5.bias, from which the widths",
    ),
    "a wrong shape": (
        lambda s: {**s, "Generator.0.block.0.depth_conv.weight": torch.zeros(24, 1, 5, 5)},
        r"depth_conv.weight has the shape \(24, 1, 5, 5\), expected \(24, 1, 3, 3\)",
    ),
    "widths that cannot be": (
        lambda s: {**s, "Gaussian_Predictor.6.bias": torch.zeros(2)},
        "gives no model: latent_maps",
    ),
    "another network": (
        lambda s: {"0.weight": torch.zeros(2, 2)},
        "no frame_transformation.6.*The first keys in it are 0.weight",
    ),
    "a huge width": (
        lambda s: {**s, "Decoder_Fusion.5.bias": torch.zeros(1000)},
        "widths would be .*1000.*the file is too small",
    ),
    "a missing value": (
        lambda s: {**s, "Generator.7.bias": torch.tensor([0, torch.nan, 0])},
        "Generator.7.bias has values that are not finite",
    ),
    "an infinite value": (
        lambda s: {**s, "Generator.7.bias": torch.tensor([0, 1e300, 0], dtype=torch.float64)},
        "Generator.7.bias has values that are not finite",
    ),
    "a negative variance": (
        lambda s: {**s, "label_transformation.2.running_var": torch.full((4,), -1.0)},
        "running_var has negative values",
    ),
    "no tensors": (lambda s: {"lr": 0.1}, "no state dict of tensors"),
    "an empty dict": (lambda s: {}, "no state dict of tensors"),
    "no dict": (lambda s: [1, 2], "holds a list, not a dict"),
    "a tensor": (lambda s: torch.zeros(3), "holds a Tensor, not a dict"),
}


@pytest.mark.parametrize("name", BAD_STATES)
@pytest.mark.parametrize("nested", [False, True], ids=["bare", "nested"])
def test_what_is_wrong_is_named(checkpoint, saved, name, nested):
    change, message = BAD_STATES[name]
    content = change(checkpoint["state_dict"])
    if nested and isinstance(content, dict):
        content = {"state_dict": content, "tfr": 0.5}
    path = saved(content)
    with pytest.raises(ValueError, match=message) as caught:
        load_lab_checkpoint(path)
    assert str(path) in str(caught.value)


def test_without_torch_it_says_so(tmp_path):
    code = (
        "import sys\nsys.modules['torch'] = None\n"
        "import keras_cvae\n"
        "for call in (lambda: keras_cvae.load_lab_checkpoint(sys.argv[1]),\n"
        "             lambda: keras_cvae.save_lab_checkpoint(\n"
        "                 keras_cvae.CVAE('lab', 8, 2, 4, 8), sys.argv[2])):\n"
        "    try:\n        call()\n"
        "    except ValueError as error:\n        print(error)\n"
    )
    pytest.importorskip("jax", reason="a backend other than torch is needed")
    printed = run_python(code, GOLDEN_CHECKPOINT, tmp_path / "out.ckpt", backend="jax")
    assert printed.count("pip install 'keras_cvae[torch]'") == 2
    assert not (tmp_path / "out.ckpt").exists()


# --- the layouts ---------------------------------------------------------------------------------


def test_layouts_are_inverse_to_each_other():
    model = CVAE("lab", **TINIEST)
    for key, variable in lab_variables(model):
        back = to_keras(key, to_published(key, variable), variable.shape)
        np.testing.assert_array_equal(back, to_numpy(variable))


def test_a_wrong_argument_is_no_fault_of_the_file():
    with pytest.raises(ValueError, match="gives no model: .*'outputs'"):
        load_lab_checkpoint(GOLDEN_CHECKPOINT, outputs="sigmoid")
    for prior in ("pose", "learned"):
        with pytest.raises(ValueError, match=f"prior='{prior}' was given.*Load .* without it"):
            load_lab_checkpoint(GOLDEN_CHECKPOINT, prior=prior)
    with pytest.raises(ValueError, match="gives no model: .*'other'"):
        load_lab_checkpoint(GOLDEN_CHECKPOINT, output="other")
