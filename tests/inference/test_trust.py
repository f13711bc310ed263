"""Formats that can run code when they are loaded are not loaded without a word of trust."""

import contextlib
import io
import json
import os
import zipfile

import keras
import pytest

from keras_cvae import CVAE
from keras_cvae.errors import UserError
from keras_cvae.exporting.exporter import export
from keras_cvae.inference import load_predictor
from keras_cvae.inference.manifest import digest, manifest_path, read_manifest, write_manifest

MANIFEST = {
    **{"format": "tf_saved_model", "frame_size": [8, 16], "latent_shape": [1, 2, 4]},
    **{"temperature": 0.0, "model": {}},
}


class Attack:
    """An object whose unpickling makes a folder."""

    def __init__(self, marker):
        self.marker = str(marker)

    def __reduce__(self):
        return os.mkdir, (self.marker,)


@pytest.fixture
def attack(tmp_path):
    """A torch program that makes a folder when it is loaded: its path, and that of the folder."""
    if keras.backend.backend() != "torch":
        pytest.skip("of a torch program, which torch writes")
    import torch

    torch.save(Attack(tmp_path / "marker"), payload := io.BytesIO())
    export(CVAE("multiscale", 8, 8, 4, 8, frame_size=(8, 16)), tmp_path / "good.pt2", "torch")
    path = tmp_path / "x.pt2"
    with zipfile.ZipFile(tmp_path / "good.pt2") as good, zipfile.ZipFile(path, "w") as bad:
        for name in good.namelist():
            is_input = name.endswith("sample_inputs/model.pt")
            bad.writestr(name, payload.getvalue() if is_input else good.read(name))
    write_manifest(path, {**read_manifest(tmp_path / "good.pt2"), "sha256": digest(path)})
    return path, tmp_path / "marker"


def test_a_torch_program_is_not_loaded_untrusted(attack, tmp_path):
    path, marker = attack
    bundle = tmp_path / "x.zip"
    with zipfile.ZipFile(bundle, "w") as archive:
        for each in (path, manifest_path(path)):
            archive.write(each, each.name)
    for given in (path, bundle):
        with pytest.raises(UserError, match="can run any code .* say so with trust"):
            load_predictor(given)
    assert not marker.exists()
    with contextlib.suppress(UserError):
        load_predictor(path, trust=True)
    assert marker.is_dir()  # so the attack is one


def test_a_saved_model_is_not_loaded_untrusted(tmp_path):
    (tmp_path / "x").mkdir()
    (tmp_path / "x" / "saved_model.pb").write_bytes(b"?")
    write_manifest(tmp_path / "x", MANIFEST)
    with pytest.raises(UserError, match="tf_saved_model, whose files can run any code"):
        load_predictor(tmp_path / "x")


def test_a_model_under_the_manifest_of_another_is_refused(tmp_path):
    for name, latents in (("a", 4), ("b", 2)):
        model = CVAE("multiscale", 8, 8, latents, 8, frame_size=(8, 16))
        export(model, tmp_path / f"{name}.keras", "keras")
    os.replace(tmp_path / "b.keras", tmp_path / "a.keras")
    with pytest.raises(UserError, match=r"a\.keras is not the model that .* describes"):
        load_predictor(tmp_path / "a.keras")


@pytest.mark.parametrize(
    "wrong",
    [
        {"module": "antigravity", "class_name": "fly", "config": {}, "registered_name": None},
        {"module": "os", "class_name": "system", "config": {}, "registered_name": "system"},
        {"module": "keras.utils", "class_name": "get_file", "config": {}, "registered_name": None},
    ],
    ids=lambda each: each["module"],
)
def test_a_keras_file_names_no_module_to_import(tmp_path, wrong):
    model = CVAE("multiscale", 8, 8, 4, 8)
    model.save(tmp_path / "good.keras")
    with (
        zipfile.ZipFile(tmp_path / "good.keras") as good,
        zipfile.ZipFile(tmp_path / "bad.keras", "w") as bad,
    ):
        for name in good.namelist():
            data = good.read(name)
            if name == "config.json":
                config = json.loads(data)
                config["config"]["dtype"] = wrong
                data = json.dumps(config).encode()
            bad.writestr(name, data)
    with pytest.raises(UserError, match=f"module '{wrong['module']}', which is not imported"):
        load_predictor(tmp_path / "bad.keras")
