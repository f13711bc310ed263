"""The examples run unchanged."""

import runpy

import cv2
import keras
import pytest
from checks import TESTS

EXAMPLES = TESTS.parent / "examples"


@pytest.fixture(autouse=True, scope="module")
def _one_thread():
    """Small frames gain little from more, and are slower where other tests share the cores."""
    if keras.backend.backend() != "torch":
        yield
        return
    import torch

    before = torch.get_num_threads()
    torch.set_num_threads(1)
    yield
    torch.set_num_threads(before)


def test_fit_arrays(tmp_path, monkeypatch, capsys):
    monkeypatch.chdir(tmp_path)
    values = runpy.run_path(str(EXAMPLES / "fit_arrays.py"))
    assert values["video"].shape == (60, 16, 32, 3)
    assert (tmp_path / "dancer.keras").is_file()
    assert "GIF, 60 frames" in capsys.readouterr().out


def test_pretrained(tmp_path, monkeypatch, capsys):
    monkeypatch.chdir(tmp_path)
    values = runpy.run_path(str(EXAMPLES / "pretrained.py"))
    assert values["psnr"].shape == (629,)
    printed = capsys.readouterr().out
    assert "mean PSNR 33.06" in printed and "GIF, 120 frames" in printed
    assert cv2.imread(str(tmp_path / "builtin_dancer_psnr.png")) is not None


def test_several_devices(tmp_path, monkeypatch, capsys):
    monkeypatch.chdir(tmp_path)
    values = runpy.run_path(str(EXAMPLES / "several_devices.py"))
    assert len(values["history"].history["val_psnr"]) == 2
    assert (tmp_path / "dancer.keras").is_file()
    assert "process 0 of 1: validation PSNR" in capsys.readouterr().out
