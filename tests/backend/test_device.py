"""The name of the device, with what each backend says of its devices replaced."""

import sys
from types import SimpleNamespace

import keras
import pytest

from keras_cvae.backend.device import device_name

DEVICES = [
    ("torch", False, "CPU"),
    ("torch", True, "GPU (H100)"),
    ("tensorflow", False, "CPU"),
    ("tensorflow", True, "GPU (H100)"),
    ("jax", False, "CPU"),
    ("jax", True, "GPU (H100)"),
]


@pytest.mark.parametrize(("backend", "gpu", "expected"), DEVICES)
def test_kind_and_name(monkeypatch, backend, gpu, expected):
    experimental = SimpleNamespace(get_device_details=lambda device: {"device_name": "H100"})
    tensorflow = SimpleNamespace(
        config=SimpleNamespace(
            list_physical_devices=lambda kind: ["/gpu:0"] if gpu else [], experimental=experimental
        )
    )
    device = SimpleNamespace(platform="gpu" if gpu else "cpu", device_kind="H100")
    torch = SimpleNamespace(
        cuda=SimpleNamespace(is_available=lambda: gpu, get_device_name=lambda: "H100"),
        backends=SimpleNamespace(mps=SimpleNamespace(is_available=lambda: False)),
    )
    jax = SimpleNamespace(devices=lambda: [device])
    for name, module in (("torch", torch), ("tensorflow", tensorflow), ("jax", jax)):
        monkeypatch.setitem(sys.modules, name, module)
    monkeypatch.setattr(keras.backend, "backend", lambda: backend)
    assert device_name() == expected
