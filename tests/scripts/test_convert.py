import re

import numpy as np
import pytest
from checks import GOLDEN, make_clip
from script_checks import one_error, run_script

import keras_cvae
from keras_cvae import CVAE

pytest.importorskip("torch", reason="torch reads and writes the published checkpoints")
CHECKPOINT = GOLDEN / "lab_tiny.ckpt"


def test_there_and_back(tmp_path):
    done = run_script("convert", CHECKPOINT, tmp_path / "model.keras")
    assert done.code == 0, done
    assert "frame_features    16" in done.out
    assert f"{CHECKPOINT} -> {tmp_path / 'model.keras'}" in done.out
    assert "warning" not in done.err
    assert re.search(r"[\d.]+% of the values lie outside \[0, 1\].*give --output sigmoid", done.out)
    done = run_script("convert", tmp_path / "model.keras", tmp_path / "back.ckpt")
    assert done.code == 0, done
    assert "warning" not in done.err
    clip = make_clip()
    ours, theirs = (
        model.predict_video(clip["frames"][:, 0], clip["poses"], seed=0)
        for model in (
            keras_cvae.load_model(tmp_path / "model.keras"),
            keras_cvae.load_lab_checkpoint(tmp_path / "back.ckpt", output="none"),
        )
    )
    np.testing.assert_array_equal(ours, theirs)


def test_a_bound_of_the_output_is_kept_and_said(tmp_path):
    done = run_script("convert", CHECKPOINT, tmp_path / "model.keras", "--output", "sigmoid")
    assert done.code == 0, done
    assert "outside [0, 1]" not in done.out
    assert keras_cvae.load_model(tmp_path / "model.keras").output_bound == "sigmoid"
    with pytest.warns(UserWarning, match="bounds its output .sigmoid."):
        done = run_script("convert", tmp_path / "model.keras", tmp_path / "back.pth")
    assert done.code == 0, done


def test_a_run_folder_is_its_best_model(tmp_path):
    (tmp_path / "run").mkdir()
    CVAE("lab", 8, 2, 4, 8, output="none").save(tmp_path / "run" / "best.keras")
    done = run_script("convert", tmp_path / "run", tmp_path / "best.ckpt")
    assert done.code == 0, done
    model = keras_cvae.load_lab_checkpoint(tmp_path / "best.ckpt", output="none")
    assert model.get_config()["latent_maps"] == 4


def test_what_cannot_be_converted_is_one_line(tmp_path):
    CVAE.from_preset("multiscale").save(tmp_path / "other.keras")
    (tmp_path / "broken.ckpt").write_bytes(CHECKPOINT.read_bytes()[:1000])
    for arguments, message in (
        ((CHECKPOINT, tmp_path / "other.keras"), "exists, and what exists is never overwritten."),
        ((CHECKPOINT, tmp_path / "new.h5"), "One of the two must be a .keras file"),
        ((tmp_path / "other.keras", tmp_path / "new.keras"), "One of the two must be"),
        ((tmp_path / "other.keras", tmp_path / "new.ckpt"), "'lab' alone"),
        ((tmp_path / "broken.ckpt", tmp_path / "new.keras"), "could not be read"),
        ((tmp_path / "absent.ckpt", tmp_path / "new.keras"), "no checkpoint at"),
        ((tmp_path / "absent.keras", tmp_path / "new.ckpt"), "no model at"),
        ((tmp_path / "other.keras", tmp_path / "new.ckpt", "--output", "clip"), "--output is for"),
    ):
        assert message in one_error(run_script("convert", *arguments)), arguments
    assert sorted(p.name for p in tmp_path.iterdir()) == ["broken.ckpt", "other.keras"]


def test_lack_of_memory_is_one_line(tmp_path, monkeypatch):
    def fails(path, **overrides):
        raise MemoryError("Unable to allocate 9 GiB")

    monkeypatch.setattr("keras_cvae.published.checkpoint.load_lab_checkpoint", fails)
    done = run_script("convert", CHECKPOINT, tmp_path / "model.keras")
    assert "not enough memory (Unable to allocate 9 GiB)" in one_error(done)
    assert not list(tmp_path.iterdir())
