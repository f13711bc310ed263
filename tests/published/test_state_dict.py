"""Checkpoints as people have them: where the weights are, prefixes, and what stands beside them."""

import argparse
import collections
import datetime
import os
import pathlib
import types
import warnings
from pathlib import Path

import numpy as np
import pytest
from published_checks import same_weights

from keras_cvae import load_lab_checkpoint
from keras_cvae.published.state_dict import printable, shown

torch = pytest.importorskip("torch", reason="torch writes the checkpoints")
CASES = Path(__file__).parents[3] / "shared/data/cases"  # not part of the repository


def load(path):
    """Loads a checkpoint, without a warning."""
    with warnings.catch_warnings():
        warnings.simplefilter("error", UserWarning)
        return load_lab_checkpoint(path, output="none")


def prefixed(state, prefix):
    return {f"{prefix}{key}": value for key, value in state.items()}


LAYOUTS = {
    "bare": lambda s: s,
    "bare, beside other values": lambda s: {**s, "epoch": 3, "note": "best", "lr": [0.1]},
    "model_state_dict": lambda s: {"model_state_dict": s, "epoch": 3},
    "model": lambda s: {"epoch": 3, "model": s},
    "net": lambda s: {"net": s},
    "one in another": lambda s: {"model": {"state_dict": s}},
    "one without them": lambda s: {"state_dict": {"x": torch.zeros(1)}, "model": s},
    "DataParallel": lambda s: {"state_dict": prefixed(s, "module.")},
    "compiled": lambda s: prefixed(s, "_orig_mod."),
    "both": lambda s: prefixed(s, "module._orig_mod."),
    "twice": lambda s: prefixed(s, "_orig_mod.module.module."),
    "a trainer": lambda s: {"state_dict": prefixed(s, "model."), "pytorch-lightning_version": "2"},
    "a compiled module": lambda s: {k.replace("or.", "or._orig_mod.", 1): v for k, v in s.items()},
    "no counter": lambda s: {k: v for k, v in s.items() if "num_batches" not in k},
    "ordered": collections.OrderedDict,
    "parameters": lambda s: {
        k: torch.nn.Parameter(v) if v.is_floating_point() else v for k, v in s.items()
    },
}


@pytest.mark.parametrize("name", LAYOUTS)
def test_every_layout_that_people_have(checkpoint, saved, name):
    state = checkpoint["state_dict"]
    assert same_weights(load(saved(LAYOUTS[name](state))), state)


def test_the_model_comes_before_a_copy_with_a_prefix(checkpoint, saved):
    state = checkpoint["state_dict"]
    copy = {f"model.{key}": value * 0 for key, value in state.items()}
    with pytest.warns(UserWarning, match=f"{len(copy)} tensors that the published model has not"):
        model = load_lab_checkpoint(saved({**copy, **state}), output="none")
    assert same_weights(model, state)


def test_other_tensors_are_ignored_and_named(checkpoint, saved):
    others = {f"head.{index}": torch.zeros(3) for index in range(5)}
    content = {**checkpoint["state_dict"], **others}
    with pytest.warns(UserWarning, match="5 tensors.*: head.0, head.1, head.2 and 2 more"):
        model = load_lab_checkpoint(saved(content), output="none")
    assert same_weights(model, checkpoint["state_dict"])


def test_harmless_values_beside_the_weights(checkpoint, saved):
    beside = {
        "tfr": np.float64(0.25),
        "psnr": np.float32(30.5),
        "betas": np.linspace(0, 1, 70),
        "mixed": np.array([1, "a", None], object),
        "flags": np.array([True, False]),
        "words": np.array(["a", "bc"]),
        "empty": b"",
        "bytes": b"\xff\x00",
        "args": argparse.Namespace(lr=1e-3, out=pathlib.Path("runs/first"), sizes=(32, 64)),
        "more": types.SimpleNamespace(a=1),
        "counter": collections.Counter("abca"),
        "set": {1, 2},
        "complex": 1j,
        "when": datetime.datetime(2024, 1, 1),
        "type": torch.float32,
        "device": torch.device("cpu"),
        "size": torch.Size([1, 2]),
        "integers": torch.arange(3),
        "large": 2**70,
    }
    model = load(saved({**checkpoint, **beside}))
    assert same_weights(model, checkpoint["state_dict"])
    assert float(model.teacher_forcing_ratio) == 0.25


def test_other_classes_are_named(checkpoint, saved):
    for value, name in (
        (print, "print"),
        (torch.nn.Linear(1, 1), "torch.nn.modules.linear.Linear"),
        (argparse.ArgumentParser, "argparse.ArgumentParser"),
    ):
        with pytest.raises(ValueError, match=f"{name}.*nothing in it was run") as caught:
            load(saved({**checkpoint, "callback": value}))
        assert "\n" not in str(caught.value) and "\x1b" not in str(caught.value)


def test_keys_are_shown_in_one_line():
    assert shown("abcde") == "a, b, c and 2 more"
    assert shown([]) == ""
    assert printable("a\nb\x1b[31m" + "c" * 1000) == "a?b" + "c" * 197


@pytest.mark.parametrize("case", ["ckpt_numpy", "ckpt_prefix_and_key"])
def test_checkpoints_of_people(case):
    if not (CASES / case).is_dir():
        pytest.skip(f"{CASES / case} is not on this machine")
    for path in sorted((CASES / case).glob("*.ckpt")):
        assert load(path).get_config()["frame_features"] >= 8


class Attack:
    """An object whose unpickling makes a folder."""

    def __init__(self, marker):
        self.marker = str(marker)

    def __reduce__(self):
        return os.mkdir, (self.marker,)


def test_nothing_in_a_file_is_run(checkpoint, saved, tmp_path):
    path = saved({**checkpoint, "callback": Attack(tmp_path / "marker")})
    with pytest.raises(ValueError, match=r"the class \w+\.mkdir: nothing in it was run"):
        load(path)
    assert not (tmp_path / "marker").exists()
    torch.load(path, weights_only=False)
    assert (tmp_path / "marker").is_dir()  # so the attack is one


ODD = {
    "sparse": lambda w: w.to_sparse(),
    "meta": lambda w: w.to("meta"),
    "quantised": lambda w: torch.quantize_per_tensor(w, 0.1, 0, torch.qint8),
    "of the type torch.complex64": lambda w: w.to(torch.complex64),
    "of the type torch.int64": lambda w: w.to(torch.int64),
    "claims": lambda w: torch.zeros(1).expand(10**9),
    "not finite": lambda w: w * torch.nan,
}


@pytest.mark.parametrize("fault", ODD)
def test_odd_tensors_are_one_clear_error(checkpoint, saved, fault):
    key = "Generator.7.bias"
    state = {**checkpoint["state_dict"], key: ODD[fault](checkpoint["state_dict"][key])}
    with pytest.raises(ValueError, match=f"{key} .*{fault}") as caught:
        load(saved({"state_dict": state}))
    assert "\n" not in str(caught.value)


@pytest.mark.parametrize("kind", ["empty", "text", "cut", "folder", "pipe", "absent"])
def test_what_is_no_checkpoint_is_one_clear_error(saved, checkpoint, tmp_path, kind):
    path = tmp_path / "x.ckpt"
    if kind == "folder":
        path.mkdir()
    elif kind == "pipe":
        os.mkfifo(path)
    elif kind != "absent":
        data = {"empty": b"", "text": b"my weights"}.get(
            kind, saved(checkpoint).read_bytes()[:9999]
        )
        path.write_bytes(data)
    with pytest.raises(ValueError, match=r"x\.ckpt") as caught:
        load(path)
    assert "\n" not in str(caught.value)


def test_a_bomb_is_not_unpacked(saved, checkpoint, monkeypatch):
    path = saved(checkpoint)
    monkeypatch.setenv("KERAS_CVAE_MAX_MODEL_BYTES", "1000")
    with pytest.raises(ValueError, match="more than the bound of 1000"):
        load(path)
