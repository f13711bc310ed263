"""What a run checks before it begins; whole runs are in scripts/test_train.py."""

import pytest

from keras_cvae.training.fit import _check_precision


def test_float16_is_refused_where_it_cannot_train(monkeypatch):
    torch = pytest.importorskip("torch")
    monkeypatch.setattr(torch.cuda, "is_available", lambda: False)
    with pytest.raises(ValueError, match="mixed_float16 does not work with torch on a CPU"):
        _check_precision("mixed_float16", "torch")
    _check_precision("mixed_float16", "tensorflow")
    _check_precision("mixed_bfloat16", "torch")
