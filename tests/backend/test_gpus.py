"""The choice of CPU or GPU, with what the backends see replaced."""

import os
import sys
from types import SimpleNamespace

import pytest
from checks import installed_backends, run_python

from keras_cvae.backend import gpus


@pytest.fixture(autouse=True)
def _variables(monkeypatch):
    for name in gpus.CPU_ALONE:
        monkeypatch.setenv(name, "")  # so that it is restored after the test
        monkeypatch.delenv(name)


def test_auto_changes_nothing(monkeypatch):
    monkeypatch.setattr(gpus, "gpu_count", lambda backend: pytest.fail("imports the backend"))
    before = dict(os.environ)
    assert gpus.choose_device("auto", "torch")
    assert dict(os.environ) == before


def test_cpu_hides_the_gpus_of_every_backend():
    assert gpus.choose_device("cpu", "jax")
    assert gpus.CPU_ALONE.items() <= os.environ.items()


@pytest.mark.parametrize(
    ("backend", "before", "after"),
    [
        ("torch", None, "cuda"),
        ("torch", "cpu", "cuda"),
        ("torch", "cuda:1", "cuda:1"),
        ("jax", None, None),
    ],
)
def test_gpu_where_there_is_one(monkeypatch, backend, before, after):
    if before:
        monkeypatch.setenv("KERAS_TORCH_DEVICE", before)
    monkeypatch.setattr(gpus, "gpu_count", lambda backend: 1)
    assert gpus.choose_device("gpu", backend)
    assert os.environ.get("KERAS_TORCH_DEVICE") == after


def test_gpu_where_there_is_none(monkeypatch):
    monkeypatch.setattr(gpus, "gpu_count", lambda backend: 0)
    assert not gpus.choose_device("gpu", "torch")
    assert "KERAS_TORCH_DEVICE" not in os.environ


def test_the_count(monkeypatch):
    def devices(kind):
        if found["jax"] == 0:
            raise RuntimeError("Unknown backend gpu")
        return [kind] * found["jax"]

    found = {"jax": 3}
    listed = SimpleNamespace(list_physical_devices=lambda kind: [kind] * 2)
    modules = {
        "torch": SimpleNamespace(cuda=SimpleNamespace(device_count=lambda: 1)),
        "tensorflow": SimpleNamespace(config=listed),
        "jax": SimpleNamespace(devices=devices),
    }
    for name, module in modules.items():
        monkeypatch.setitem(sys.modules, name, module)
    assert [gpus.gpu_count(name) for name in modules] == [1, 2, 3]
    found["jax"] = 0
    assert gpus.gpu_count("jax") == 0


def test_the_line_says_what_is_seen_and_how_to_mend_it(monkeypatch):
    monkeypatch.setattr(gpus.importlib.metadata, "version", lambda name: "2.11.0+cpu")
    line = gpus.without_gpu("torch")
    assert line.startswith("torch 2.11.0+cpu sees no GPU. nvidia-smi shows")
    assert "a build with CUDA (pip install torch" in line and "\n" not in line
    monkeypatch.setenv("CUDA_VISIBLE_DEVICES", "")
    monkeypatch.setenv("JAX_PLATFORMS", "cpu")
    assert "sees no GPU (CUDA_VISIBLE_DEVICES is '')." in gpus.without_gpu("torch")
    assert "is '', JAX_PLATFORMS is 'cpu')." in gpus.without_gpu("jax")


def test_a_backend_under_another_name(monkeypatch):
    def version(name):
        raise gpus.importlib.metadata.PackageNotFoundError(name)

    monkeypatch.setattr(gpus.importlib.metadata, "version", version)
    assert gpus.without_gpu("tensorflow").startswith("tensorflow sees no GPU.")


@pytest.mark.skipif("torch" not in installed_backends(), reason="torch is not installed")
def test_it_acts_before_keras_is_imported():
    code = """
import os, sys
from keras_cvae import cli
cli.start_backend(device="cpu")
assert "keras" not in sys.modules
from keras_cvae.backend.device import device_name
print(os.environ["CUDA_VISIBLE_DEVICES"], device_name())
"""
    assert run_python(code, backend="torch").splitlines()[-1] == "-1 CPU"
