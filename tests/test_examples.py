"""The examples run unchanged."""

import io
import runpy
import threading
import urllib.error
import urllib.request
from http.server import HTTPServer

import cv2
import keras
import numpy as np
import pytest
from checks import TESTS

from keras_cvae.data.synthetic import builtin_videos

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
    assert "mean PSNR 30.1" in printed and "GIF, 120 frames" in printed
    assert cv2.imread(str(tmp_path / "builtin_dancer_psnr.png")) is not None


def test_serving_onnx():
    pytest.importorskip("onnxruntime", reason="the extra 'onnx' is not installed")
    values = runpy.run_path(str(EXAMPLES / "serve_onnx.py"))
    server = HTTPServer(("localhost", 0), values["Handler"])
    threading.Thread(target=server.serve_forever, daemon=True).start()

    def post(**arrays):
        np.savez(file := io.BytesIO(), **arrays)
        url = f"http://localhost:{server.server_address[1]}"
        return urllib.request.urlopen(url, data=file.getvalue(), timeout=60).read()

    (video,) = builtin_videos("val", frames=5)
    reply = np.load(io.BytesIO(post(first_frame=video.frames[0], poses=video.poses)))
    expected = values["predictor"].predict_video(video.frames[0], video.poses)
    np.testing.assert_array_equal(reply, expected)
    with pytest.raises(urllib.error.HTTPError, match="400"):
        post(first_frame=video.frames[0], poses=video.poses[:, :16])
    with pytest.raises(urllib.error.HTTPError, match="400"):
        post(first_frame=video.frames[0])
    server.shutdown()
    server.server_close()
