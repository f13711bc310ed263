import sys
from types import SimpleNamespace

import pytest

from keras_cvae.backend.tf32 import allow_tf32


@pytest.fixture
def said(monkeypatch):
    """What each backend, replaced, was told."""
    told = {}
    flags = SimpleNamespace(matmul=SimpleNamespace(allow_tf32=None))
    backends = SimpleNamespace(cuda=flags, cudnn=SimpleNamespace(allow_tf32=None))
    experimental = SimpleNamespace(
        enable_tensor_float_32_execution=lambda on: told.update(tensorflow=on)
    )
    config = SimpleNamespace(update=lambda name, value: told.update({name: value}))
    modules = {
        "torch": SimpleNamespace(backends=backends),
        "tensorflow": SimpleNamespace(config=SimpleNamespace(experimental=experimental)),
        "jax": SimpleNamespace(config=config),
    }
    for name, module in modules.items():
        monkeypatch.setitem(sys.modules, name, module)
    return SimpleNamespace(told=told, torch=backends)


@pytest.mark.parametrize("allowed", [True, False])
def test_each_backend_is_told(said, allowed):
    for backend in ("torch", "tensorflow", "jax"):
        allow_tf32(backend, allowed)
    assert said.torch.cuda.matmul.allow_tf32 is said.torch.cudnn.allow_tf32 is allowed
    precision = "tensorfloat32" if allowed else "highest"
    assert said.told == {"tensorflow": allowed, "jax_default_matmul_precision": precision}


@pytest.mark.parametrize("allowed", [True, False])
def test_the_installed_torch_takes_it(allowed):
    torch = pytest.importorskip("torch")
    switches = torch.backends.cuda.matmul, torch.backends.cudnn
    before = [switch.allow_tf32 for switch in switches]
    try:
        allow_tf32("torch", allowed)
        assert [switch.allow_tf32 for switch in switches] == [allowed, allowed]
    finally:
        for switch, value in zip(switches, before, strict=True):
            switch.allow_tf32 = value
