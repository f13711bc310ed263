import importlib.util
import json
import os

import pytest
from checks import installed_backends, run_python

from keras_cvae.backend.choice import choose_backend


@pytest.fixture
def machine(monkeypatch, tmp_path):
    """Sets which backends are installed, KERAS_BACKEND, and what Keras' own file says."""

    def set_up(installed, asked=None, configured=None):
        real = importlib.util.find_spec

        def find_spec(name, *args):
            if name in ("torch", "tensorflow", "jax"):
                return object() if name in installed else None
            return real(name, *args)

        monkeypatch.setattr(importlib.util, "find_spec", find_spec)
        monkeypatch.setenv("KERAS_HOME", str(tmp_path))
        monkeypatch.delenv("KERAS_BACKEND", raising=False)
        if asked is not None:
            monkeypatch.setenv("KERAS_BACKEND", asked)
        if configured is not None:
            (tmp_path / "keras.json").write_text(configured)

    return set_up


def config(backend):
    return json.dumps({"floatx": "float32", "backend": backend})


@pytest.mark.parametrize(
    ("installed", "asked", "configured", "expected"),
    [
        (["torch", "tensorflow", "jax"], None, None, "torch"),
        (["tensorflow", "jax"], None, None, "tensorflow"),
        (["jax"], None, None, "jax"),
        (["torch", "jax"], "jax", None, "jax"),
        (["torch", "jax"], "", None, "torch"),  # empty counts as unset, as in Keras
        (["torch", "jax"], None, config("jax"), "jax"),
        (["torch", "jax"], None, config("tensorflow"), "torch"),  # Keras' default file
        (["torch", "jax"], "torch", config("jax"), "torch"),
        (["torch"], None, config("openvino"), "torch"),
        (["torch"], None, config(["torch"]), "torch"),
        (["torch"], None, "{", "torch"),
        (["torch"], None, "[]", "torch"),
        (["torch"], None, "{}", "torch"),
    ],
)
def test_it_takes_one_that_is_installed(machine, installed, asked, configured, expected):
    machine(installed, asked, configured)
    assert choose_backend() == expected
    assert os.environ["KERAS_BACKEND"] == expected


@pytest.mark.parametrize(
    ("installed", "asked", "message"),
    [
        (["torch"], "tensorflow", r"tensorflow is not installed.*keras_cvae\[tensorflow\]"),
        (["torch"], "pytorch", "'pytorch'; expected one of torch, tensorflow, jax"),
        (["torch"], "numpy", "'numpy'; expected one of"),
        ([], None, r"No Keras backend is installed.*keras_cvae\[torch\]"),
        ([], "torch", "torch is not installed"),
    ],
)
def test_what_is_absent_or_unknown_is_an_error(machine, installed, asked, message):
    machine(installed, asked)
    with pytest.raises(ValueError, match=message):
        choose_backend()
    assert os.environ.get("KERAS_BACKEND") == asked  # left as it was


@pytest.mark.parametrize(
    ("installed", "asked", "expected"),
    [
        (["torch", "jax"], None, "jax"),
        (["torch", "jax"], "torch", "torch"),
        (["torch"], None, "torch"),
    ],
)
def test_a_preferred_one_goes_before_the_file_but_not_before_the_variable(
    machine, installed, asked, expected
):
    machine(installed, asked, config("torch"))
    assert choose_backend("jax") == expected


def test_without_a_keras_home_it_looks_where_keras_does(machine, monkeypatch, tmp_path):
    machine(["torch", "jax"])
    monkeypatch.delenv("KERAS_HOME")
    monkeypatch.setenv("HOME", str(tmp_path))
    (tmp_path / ".keras").mkdir()
    (tmp_path / ".keras" / "keras.json").write_text(config("jax"))
    assert choose_backend() == "jax"


@pytest.mark.skipif("torch" not in installed_backends(), reason="torch is not installed")
def test_keras_starts_where_its_file_names_an_absent_backend(tmp_path):
    """What dies with `ModuleNotFoundError: tensorflow` with Keras alone."""
    (tmp_path / "keras.json").write_text(config("tensorflow"))
    code = """
import os, sys
os.environ["KERAS_HOME"] = sys.argv[1]
import importlib.util
real = importlib.util.find_spec
importlib.util.find_spec = lambda name, *a: None if name == "tensorflow" else real(name, *a)
sys.modules["tensorflow"] = None
from keras_cvae import cli
assert "keras" not in sys.modules
cli.start_backend()
import keras
print("keras runs on", keras.backend.backend())
"""
    out = run_python(code, tmp_path)
    assert "backend: torch (installed; set KERAS_BACKEND for another)" in out
    assert "keras runs on torch" in out


def test_a_user_without_a_home_needs_none(machine, monkeypatch):
    """As in a container that runs as any number."""
    machine(["torch"])
    monkeypatch.delenv("KERAS_HOME")
    monkeypatch.delenv("HOME", raising=False)

    def unknown(number):
        raise KeyError(f"getpwuid(): uid not found: {number}")

    monkeypatch.setattr("pwd.getpwuid", unknown)
    assert choose_backend() == "torch"
