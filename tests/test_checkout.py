"""A checkout in which git wrote the symbolic links as text files, as it does on Windows."""

import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest
from checks import python_path

ROOT = Path(__file__).parents[1]


@pytest.fixture(scope="module")
def checkout(tmp_path_factory):
    """The package without links; its pretrained model has a name that is nowhere else."""
    folder = tmp_path_factory.mktemp("checkout")
    ignored = shutil.ignore_patterns("__pycache__", "*.gif", "*.onnx")
    for name in ("keras_cvae", "callbacks", "saved_models"):
        shutil.copytree(ROOT / name, folder / name, symlinks=True, ignore=ignored)
    for name in ("callbacks", "saved_models"):
        link = folder / "keras_cvae" / name
        link.unlink()
        link.write_text(f"../{name}")
    (folder / "saved_models/builtin_dancer.keras").rename(folder / "saved_models/copied.keras")
    return folder


def run(code, checkout):
    environment = {**os.environ, "PYTHONPATH": python_path(checkout)}
    done = subprocess.run(
        [sys.executable, "-c", code],
        env=environment,
        cwd=checkout.parent,
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    return done.stdout.split()


def test_the_mapped_packages_are_found(checkout):
    code = """
import keras_cvae, keras_cvae.callbacks, keras_cvae.saved_models, sys
assert "keras" not in sys.modules
for module in (keras_cvae, keras_cvae.callbacks, keras_cvae.saved_models):
    print(module.__file__)
"""
    names = ("keras_cvae", "callbacks", "saved_models")
    assert run(code, checkout) == [str(checkout / name / "__init__.py") for name in names]


def test_callbacks_and_the_pretrained_model_load(checkout):
    code = """
import keras_cvae
from keras_cvae.callbacks import KLAnnealing
KLAnnealing("none", 1)
print(keras_cvae.from_pretrained("copied").count_params())
"""
    assert run(code, checkout) == ["808878"]
