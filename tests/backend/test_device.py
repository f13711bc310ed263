"""The name of the device, with what each backend says of a tensor replaced."""

import sys
from types import SimpleNamespace

import keras
import pytest

from keras_cvae.backend import device


@pytest.fixture
def found(monkeypatch):
    """A function (backend, where a tensor is) that gives the name."""

    def name(backend, where):
        experimental = SimpleNamespace(get_device_details=lambda device: {"device_name": "H100"})
        config = SimpleNamespace(
            list_physical_devices=lambda kind: ["/gpu:0"], experimental=experimental
        )
        cuda = SimpleNamespace(get_device_name=lambda device: "H100")
        monkeypatch.setitem(sys.modules, "tensorflow", SimpleNamespace(config=config))
        monkeypatch.setitem(sys.modules, "torch", SimpleNamespace(cuda=cuda))
        tensor = SimpleNamespace(device=where, devices=lambda: [where])
        monkeypatch.setattr(keras.backend, "backend", lambda: backend)
        monkeypatch.setattr(device.ops, "zeros", lambda shape: tensor)
        return device.device_name()

    return name


@pytest.mark.parametrize(("kind", "gpu"), [("cpu", False), ("cuda", True), ("mps", False)])
def test_whether_there_is_a_gpu(found, kind, gpu):
    found("torch", SimpleNamespace(type=kind))
    assert device.on_gpu() == gpu


@pytest.mark.parametrize(("kind", "name"), [("cpu", "CPU"), ("cuda", "GPU (H100)"), ("mps", "MPS")])
def test_on_torch(found, kind, name):
    assert found("torch", SimpleNamespace(type=kind)) == name


@pytest.mark.parametrize(("kind", "name"), [("CPU", "CPU"), ("GPU", "GPU (H100)")])
def test_on_tensorflow(found, kind, name):
    assert found("tensorflow", f"/job:localhost/replica:0/task:0/device:{kind}:0") == name


@pytest.mark.parametrize(("kind", "name"), [("cpu", "CPU"), ("gpu", "GPU (H100)")])
def test_on_jax(found, kind, name):
    assert found("jax", SimpleNamespace(platform=kind, device_kind="H100")) == name


def test_here():
    assert device.device_name().split()[0] in ("CPU", "GPU", "MPS")
