"""The environment of a worker: which devices it sees."""

import io
from types import SimpleNamespace

import pytest
from benchmarking import process


@pytest.fixture
def environment(monkeypatch):
    """A function device -> the variables of the process that would be started."""
    given = {}

    def popen(command, env, **options):
        given.update(env)
        ended = SimpleNamespace(kill=lambda: None, wait=lambda: 0)
        return SimpleNamespace(stdin=io.StringIO(), stdout=io.StringIO(), **vars(ended))

    def of(*device):
        given.clear()
        process.Worker("jax", *device).close()
        return given

    monkeypatch.setattr(process.subprocess, "Popen", popen)
    for name in ("CUDA_VISIBLE_DEVICES", "JAX_PLATFORMS", "KERAS_TORCH_DEVICE"):
        monkeypatch.delenv(name, raising=False)
    return of


@pytest.mark.parametrize("device", [(), ("cpu",)])
def test_on_the_cpu_no_gpu_is_seen(environment, device):
    found = environment(*device)
    assert found["CUDA_VISIBLE_DEVICES"] == "-1" and found["JAX_PLATFORMS"] == "cpu"
    assert found["KERAS_TORCH_DEVICE"] == "cpu" and found["KERAS_BACKEND"] == "jax"


def test_on_the_gpu_nothing_hides_it_and_no_process_takes_it_all(environment, monkeypatch):
    monkeypatch.setenv("KERAS_TORCH_DEVICE", "cpu")
    found = environment("gpu")
    assert "CUDA_VISIBLE_DEVICES" not in found and "JAX_PLATFORMS" not in found
    assert found["KERAS_TORCH_DEVICE"] == "cuda"
    assert found["XLA_PYTHON_CLIENT_PREALLOCATE"] == "false"
    assert found["TF_FORCE_GPU_ALLOW_GROWTH"] == "true"
