"""What can be wrong with the path of a predictor, and what each kind of path is."""

import json
import os
import shutil
import zipfile
from pathlib import Path

import pytest

from keras_cvae import CVAE, saved_models
from keras_cvae.errors import UserError
from keras_cvae.inference import load_predictor, needs_keras
from keras_cvae.inference.manifest import manifest_path, read_manifest, write_manifest

PRETRAINED = Path(saved_models.__path__[0])
MANIFEST = {
    **{"format": "onnx", "frame_size": [8, 16], "latent_shape": [1, 2, 4]},
    **{"temperature": 0.0, "model": {}},
}


def test_nothing_there(tmp_path):
    for name in ("absent.onnx", "absent.keras", "absent.zip"):
        with pytest.raises(ValueError, match=name):
            load_predictor(tmp_path / name)


def test_no_manifest(tmp_path):
    (tmp_path / "x.onnx").write_bytes(b"?")
    with pytest.raises(ValueError, match=r"no manifest x.onnx.json next to it"):
        load_predictor(tmp_path / "x.onnx")


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("{", "could not be read"),
        ("[]", "not the manifest"),
        ('{"format": "onnx"}', "frame_size, latent_shape, temperature, model missing or wrong"),
        (json.dumps({**MANIFEST, "frame_size": [8]}), "frame_size missing or wrong"),
        (json.dumps({**MANIFEST, "latent_shape": "8"}), "latent_shape missing or wrong"),
        (json.dumps({**MANIFEST, "format": "caffe"}), "'caffe'; expected one of keras"),
        (json.dumps(MANIFEST), "could not be loaded as onnx"),
    ],
)
def test_wrong_manifests_and_files(tmp_path, text, message):
    pytest.importorskip("onnxruntime")
    (tmp_path / "x.onnx").write_bytes(b"?")
    manifest_path(tmp_path / "x.onnx").write_text(text)
    with pytest.raises(ValueError, match=message):
        load_predictor(tmp_path / "x.onnx")


def test_wrong_bundles(tmp_path):
    path = tmp_path / "x.zip"
    path.write_bytes(b"?")
    with pytest.raises(ValueError, match="x.zip could not be read"):
        load_predictor(path)
    with zipfile.ZipFile(path, "w") as archive:
        archive.writestr("a.json", "{}")
        archive.writestr("b.json", "{}")
    with pytest.raises(ValueError, match="2 manifests, expected 1"):
        load_predictor(path)
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr("x.json", "{}" * 1000)
    damage(path, 40)
    with pytest.raises(ValueError, match="x.zip could not be read"):
        load_predictor(path)
    with zipfile.ZipFile(path, "w") as archive:
        archive.writestr("x.onnx", b"?")
        archive.writestr("x.onnx.json", json.dumps({**MANIFEST, "format": "caffe"}))
    with pytest.raises(ValueError, match=r"x\.zip: x\.onnx\.json names the format 'caffe'"):
        load_predictor(path)


def damage(path, at):
    data = bytearray(path.read_bytes())
    data[at : at + 4] = bytes(255 - byte for byte in data[at : at + 4])
    path.write_bytes(data)


def test_a_damaged_keras_file(tmp_path):
    CVAE("multiscale", 8, 8, 4, 8).save(path := tmp_path / "x.keras")
    damage(path, path.stat().st_size // 2)
    with pytest.raises(ValueError, match="x.keras could not be loaded"):
        load_predictor(path)


def test_a_folder_of_exports(tmp_path):
    write_manifest(tmp_path / "x.onnx", MANIFEST)
    with pytest.raises(ValueError, match="a folder of exports. Give one of them, such as .*x.onnx"):
        load_predictor(tmp_path)


def test_a_keras_file_takes_any_size_and_knows_its_own(tmp_path):
    CVAE("multiscale", 8, 8, 4, 8, frame_size=(16, 24)).save(tmp_path / "x.keras")
    (tmp_path / "x.keras.json").write_text('{"notes": "of the user"}')
    predictor = load_predictor(tmp_path / "x.keras")
    assert predictor.frame_size == (16, 24) and predictor.manifest == {}


def test_which_need_keras(tmp_path):
    write_manifest(tmp_path / "x.onnx", MANIFEST)
    write_manifest(tmp_path / "x.weights.h5", {**MANIFEST, "format": "weights"})
    for name in ("x.onnx", "x.weights.h5", "x.keras"):
        (tmp_path / name).touch()
    assert not needs_keras(tmp_path / "x.onnx")
    assert needs_keras(tmp_path / "x.weights.h5")
    assert needs_keras(tmp_path / "x.keras")
    assert not needs_keras(tmp_path / "absent.keras")
    for inside in ("x.onnx", "x.weights.h5"):
        with zipfile.ZipFile(tmp_path / f"{inside}.zip", "w") as archive:
            archive.writestr(inside, b"")
        assert needs_keras(tmp_path / f"{inside}.zip") == (inside == "x.weights.h5")


def test_which_need_keras_of_damaged_bundles_and_pipes(tmp_path):
    """Asked before anything is loaded; loading them says what is wrong."""
    with zipfile.ZipFile(tmp_path / "x.zip", "w") as archive:
        archive.writestr("ä.keras", b"")
    data = (tmp_path / "x.zip").read_bytes()
    (tmp_path / "x.zip").write_bytes(data.replace("ä".encode(), b"\xe1\x28"))  # no UTF-8
    os.mkfifo(tmp_path / "pipe.zip")
    for name in ("x.zip", "pipe.zip"):
        assert not needs_keras(tmp_path / name)
        with pytest.raises(UserError, match=name):
            load_predictor(tmp_path / name)


@pytest.mark.parametrize("wrong", [{"frame_size": [16, 16]}, {"latent_shape": [1, 2, 5]}])
def test_sizes_of_a_manifest_that_are_not_the_models(tmp_path, wrong):
    pytest.importorskip("onnxruntime")
    shutil.copy(PRETRAINED / "builtin_dancer.onnx", tmp_path / "x.onnx")
    right = read_manifest(PRETRAINED / "builtin_dancer.onnx")
    write_manifest(tmp_path / "x.onnx", {**right, **wrong})
    with pytest.raises(UserError, match=r"x\.onnx .*manifest"):
        load_predictor(tmp_path / "x.onnx")


def test_a_manifest_is_read_as_written(tmp_path):
    write_manifest(tmp_path / "x.onnx", MANIFEST)
    assert read_manifest(tmp_path / "x.onnx") == MANIFEST
    assert read_manifest(tmp_path / "y.onnx") is None
