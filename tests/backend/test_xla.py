import importlib.metadata
import importlib.util
import os

import pytest
from checks import installed_backends, jax_has_a_plugin, run_python

from keras_cvae.backend import xla


@pytest.fixture
def machine(monkeypatch):
    """A machine with a version of jaxlib and plugins of JAX, on which XLA_FLAGS is not set."""

    def made(version="0.10.7", plugins=(), tpu=False):
        monkeypatch.setattr(importlib.metadata, "version", lambda name: version)
        monkeypatch.setattr(importlib.metadata, "entry_points", lambda group: plugins)
        monkeypatch.setattr(importlib.util, "find_spec", lambda name: tpu or None)

    monkeypatch.setenv("XLA_FLAGS", "")  # so that it is restored after the test
    monkeypatch.delenv("XLA_FLAGS")
    return made


def test_flags_are_set_where_they_were_measured(machine):
    machine()
    xla.compile_faster()
    assert os.environ["XLA_FLAGS"].split() == list(xla.FLAGS)


@pytest.mark.parametrize("known", [{"version": "0.11.0"}, {"plugins": ("cuda",)}, {"tpu": True}])
def test_nothing_is_set_elsewhere(machine, known):
    machine(**known)
    xla.compile_faster()
    assert "XLA_FLAGS" not in os.environ


def test_the_users_flags_stay(machine, monkeypatch):
    machine()
    monkeypatch.setenv("XLA_FLAGS", "--xla_dump_to=/tmp")
    xla.compile_faster()
    assert os.environ["XLA_FLAGS"] == "--xla_dump_to=/tmp"


@pytest.mark.skipif("jax" not in installed_backends(), reason="jax is not installed")
@pytest.mark.skipif(jax_has_a_plugin(), reason="JAX is installed for a GPU or TPU: no flags there")
def test_the_installed_xla_knows_the_flags():
    """Else XLA ends the process: then measure anew, and change `MEASURED` or the flags."""
    code = """
import os
del os.environ["XLA_FLAGS"]
from keras_cvae import cli
cli.start_backend()
print(os.environ["XLA_FLAGS"])
import jax
print(float(jax.jit(lambda x: x + 1)(1.0)))
"""
    flags, two = run_python(code, backend="jax").splitlines()[-2:]
    assert flags.split() == list(xla.FLAGS) and two == "2.0"
