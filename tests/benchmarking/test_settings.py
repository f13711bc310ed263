"""Which backends, precisions and formats are measured on a GPU; which GPU is named."""

import importlib.util

import pytest
from benchmarking import settings
from script_checks import load_script

from keras_cvae.errors import UserError


@pytest.fixture
def resolved(monkeypatch):
    """A function (flags, backends that see a GPU) that gives the settings."""
    real = importlib.util.find_spec
    installed = ("torch", "tensorflow", "jax")
    found = {name: object() for name in installed}
    monkeypatch.setattr(importlib.util, "find_spec", lambda name: found.get(name) or real(name))
    monkeypatch.setattr(settings.cli, "no_gpu", lambda name: UserError(f"{name} sees no GPU"))

    def of(*flags, seeing=()):
        monkeypatch.setattr(settings, "gpu_of", lambda name: "H200" if name in seeing else None)
        return settings.resolve(load_script("benchmark").parse(["--device", "gpu", *flags]))

    return of


def test_the_backends_that_see_a_gpu_are_the_default(resolved):
    found = resolved(seeing=("torch", "jax"))
    assert found["backends"] == ["torch", "jax"] and found["gpu"] == "H200"
    assert found["precisions"] == ["float32", "tf32", "mixed_bfloat16"]
    assert found["exports"] == [] and found["device"] == "gpu"
    assert resolved("--quick", seeing=("torch", "jax"))["backends"] == ["torch"]
    sizes = resolved("--sizes", seeing=("jax",))
    assert (sizes["backends"], sizes["precisions"]) == (["jax"], ["float32"])


@pytest.mark.parametrize(
    ("flags", "seeing", "blind"),
    [
        (["--backends", "torch", "jax"], ["torch"], "jax"),
        (["--quick"], [], "torch"),
        ([], [], "torch"),
        (["--backends", "jax"], ["jax"], "torch"),  # the plain loop's
    ],
)
def test_a_backend_without_a_gpu_is_an_error(resolved, flags, seeing, blind):
    with pytest.raises(UserError, match=f"^{blind} sees no GPU"):
        resolved(*flags, seeing=seeing)


def test_the_cpu_is_asked_for_no_gpu(monkeypatch):
    monkeypatch.setattr(settings, "gpu_of", lambda name: pytest.fail("asked"))
    found = settings.resolve(load_script("benchmark").parse(["--quick"]))
    assert found["device"] == "cpu" and "gpu" not in found
