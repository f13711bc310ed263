import keras
import pytest

from keras_cvae.backend import loops
from keras_cvae.backend.loops import compiled_length, two_passes_pay


def test_a_compiled_loop_has_few_lengths_and_wastes_little(monkeypatch):
    monkeypatch.setattr(keras.backend, "backend", lambda: "torch")
    assert [compiled_length(n) for n in (1, 17, 100)] == [1, 17, 100]  # nothing is compiled
    for backend in ("tensorflow", "jax"):
        monkeypatch.setattr(keras.backend, "backend", lambda name=backend: name)
        lengths = [compiled_length(n) for n in range(1, 129)]
        assert lengths[:5] == [1, 2, 3, 4, 8] and len(set(lengths)) == 14 and max(lengths) == 128
        assert all(0 <= length - n < 16 for n, length in enumerate(lengths, start=1))


@pytest.mark.parametrize(
    ("backend", "gpu", "heavy", "pays"),
    [
        ("torch", False, False, True),
        ("torch", False, True, False),
        ("torch", True, True, True),
        ("jax", False, True, True),
    ],
)
def test_a_second_decoding_pays_where_arithmetic_is_little(monkeypatch, backend, gpu, heavy, pays):
    monkeypatch.setattr(keras.backend, "backend", lambda: backend)
    monkeypatch.setattr(loops, "on_gpu", lambda: gpu)
    assert two_passes_pay(heavy) == pays
