"""Where the step is compiled, and the message where it cannot be."""

import pytest

from keras_cvae.backend import compiling, device


@pytest.mark.parametrize(
    ("asked", "backend", "compiled"),
    [
        ("auto", "torch", False),
        ("auto", "tensorflow", False),
        ("auto", "jax", True),
        ("off", "jax", False),
        ("on", "tensorflow", True),
    ],
)
def test_auto_compiles_where_it_pays_and_the_reason_is_said(asked, backend, compiled):
    on, reason = compiling.choose(asked, backend)
    assert on is compiled
    assert reason.startswith("by XLA") == compiled


def test_a_gpu_records_the_step_unless_it_is_told_not_to(monkeypatch):
    monkeypatch.setattr(device, "on_gpu", lambda: True)
    assert compiling.choose("auto", "torch") == (False, "no; recorded once as a CUDA graph")
    assert "CUDA graph" not in compiling.choose("off", "torch")[1]
    monkeypatch.setattr(compiling, "torch_group", lambda: "several processes")
    assert "what exchanges nothing" in compiling.choose("auto", "torch")[1]


def test_torch_compile_needs_a_compiler(monkeypatch):
    monkeypatch.setattr(compiling.shutil, "which", lambda name: None)
    with pytest.raises(ValueError, match="needs a C\\+\\+ compiler"):
        compiling.choose("on", "torch")
    assert compiling.choose("auto", "torch")[0] is False
    monkeypatch.setattr(compiling.shutil, "which", lambda name: f"/usr/bin/{name}")
    assert compiling.choose("on", "torch") == (True, "by torch.compile")


def test_other_choices_are_errors():
    with pytest.raises(ValueError, match="expected one of auto, on, off"):
        compiling.choose("yes", "torch")
