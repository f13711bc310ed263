"""What a worker asks of a GPU, with the backends replaced."""

import sys
from types import SimpleNamespace

import pytest
from benchmarking import gpu

MB = 2**20


@pytest.fixture
def backends(monkeypatch):
    """Backends whose arrays take 3 MB now and took 7; what is called on them."""
    called = []

    def calls(name, result=None):
        return lambda *given: called.append(name) or result

    cuda = SimpleNamespace(
        synchronize=calls("torch waits"),
        reset_peak_memory_stats=calls("torch restarts"),
        memory_allocated=lambda: 3 * MB,
        max_memory_allocated=lambda: 7 * MB,
    )
    experimental = SimpleNamespace(
        get_memory_info=lambda device: {"current": 3 * MB, "peak": 7 * MB},
        reset_memory_stats=calls("tensorflow restarts"),
    )
    sync = SimpleNamespace(experimental=SimpleNamespace(sync_devices=calls("tensorflow waits")))
    stats = {"bytes_in_use": 3 * MB, "peak_bytes_in_use": 7 * MB}
    device = SimpleNamespace(memory_stats=lambda: stats)

    class Array(float):
        def __add__(self, other):
            return SimpleNamespace(block_until_ready=calls("jax waits"))

    modules = {
        "torch": SimpleNamespace(cuda=cuda),
        "tensorflow": SimpleNamespace(config=SimpleNamespace(experimental=experimental), test=sync),
        "jax": SimpleNamespace(devices=lambda: [device], device_put=Array),
    }
    for name, module in modules.items():
        monkeypatch.setitem(sys.modules, name, module)
    return SimpleNamespace(called=called, device=device)


@pytest.mark.parametrize("backend", ["torch", "tensorflow", "jax"])
def test_memory_and_waiting(backends, backend):
    assert gpu.memory_mb(backend) == (3.0, 7.0)
    gpu.synchronize(backend)
    gpu.restart_peak(backend)
    restarts = [] if backend == "jax" else [f"{backend} restarts"]
    assert backends.called == [f"{backend} waits", *restarts]


def test_memory_that_jax_does_not_know(backends):
    backends.device.memory_stats = lambda: None
    assert gpu.memory_mb("jax") == (None, None)


@pytest.mark.parametrize(
    ("count", "said", "name"),
    [
        (0, "not asked", None),
        (1, "GPU (NVIDIA H200)", "NVIDIA H200"),
        (1, "GPU", "GPU"),
        (1, "CPU", None),  # where KERAS_TORCH_DEVICE or the like keeps Keras off it
    ],
)
def test_the_gpu_is_what_keras_computes_on(monkeypatch, count, said, name):
    monkeypatch.setattr(gpu, "gpu_count", lambda backend: count)
    monkeypatch.setattr("keras_cvae.backend.device.device_name", lambda: said)
    assert gpu.found("torch") == name


def test_the_real_functions_are_there():
    torch = pytest.importorskip("torch")
    for name in ("synchronize", "reset_peak_memory_stats", "max_memory_allocated"):
        assert callable(getattr(torch.cuda, name))
