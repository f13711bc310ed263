"""scripts/export.py on a finished run, and predict.py on what it wrote."""

import json

import cv2
import numpy as np
import pytest
from script_checks import SIZE, one_error, run_script

import keras_cvae
from keras_cvae.data import load_videos
from keras_cvae.inference import load_predictor

pytest.importorskip("onnxruntime", reason="the extra 'onnx' is not installed")


def test_a_run_to_onnx_and_to_a_video(run, data, tmp_path):
    out = tmp_path / "dancer.onnx"
    done = run_script("export", run, "--format", "onnx", "--out", out)
    assert done.code == 0, done.err
    assert "onnx: written with torch, loaded back, differs from Keras by at most" in done.out
    manifest = json.loads((tmp_path / "dancer.onnx.json").read_text())
    assert manifest["frame_size"] == list(SIZE) and manifest["source"] == run.name
    metrics = json.loads((run / "metrics.json").read_text())
    assert manifest["results"] == metrics and metrics["val_psnr"]

    test = data / "test"
    inputs = ["--first-frame", test / "test_img/0/0.png", "--poses", test / "test_label/0"]
    done = run_script("predict", out, *inputs, "--out", tmp_path / "frames")
    assert done.code == 0, done.err
    assert "backend:" not in done.out  # none is started
    video = load_videos(data, "test", SIZE)[0]
    model = keras_cvae.load_model(run)
    expected = model.predict_video(video.frames[0], video.poses, seed=0)
    for t in range(5):
        frame = cv2.imread(str(tmp_path / f"frames/{t}.png"))[..., ::-1]
        np.testing.assert_allclose(frame, 255 * expected[t], atol=0.51)

    line = one_error(
        run_script("predict", out, *inputs, "--frame-size", 8, 8, "--out", tmp_path / "x.gif")
    )
    assert "16 x 16" in line and "got 8 x 8" in line
    assert not (tmp_path / "x.gif").exists()


def test_another_frame_size(run, tmp_path):
    out = tmp_path / "dancer.zip"
    done = run_script("export", run, "--format", "weights", "--frame-size", 8, 24, "--out", out)
    assert done.code == 0, done.err
    assert load_predictor(out).frame_size == (8, 24)


@pytest.mark.slow
def test_all_formats(run, tmp_path):
    done = run_script("export", run, "--format", "all", "--out", tmp_path / "dancer")
    assert done.code == 0, done.err
    names = {"model.keras", "model.weights.h5", "model.onnx", "model.pt2", "model_tf"}
    manifests = {f"{name}.json" for name in names}
    assert {path.name for path in (tmp_path / "dancer").iterdir()} == names | manifests


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["absent", "--format", "onnx", "--out", "x.onnx"], "no model at absent"),
        (["RUN", "--format", "onnx", "--out", "x.keras"], "end in .onnx"),
        (["RUN", "--format", "onnx", "--out", "RUN"], "exists"),
        (["RUN", "--format", "onnx", "--out", "x.onnx", "--frame-size", 9, 9], "multiples of 8"),
        (["RUN", "--format", "page", "--out", "x.onnx"], "end in .html"),
        (
            ["RUN", "--format", "page", "--out", "x.html", "--web-runtime", "none"],
            "The web runtime none/ort.wasm.bundle.min.mjs does not exist. Run `npm pack",
        ),
        (["RUN", "--format", "onnx", "--out", "x.onnx", "--web-runtime", "."], "for --format page"),
    ],
)
def test_wrong_values_are_one_line_and_leave_nothing(
    run, tmp_path, monkeypatch, arguments, message
):
    monkeypatch.chdir(tmp_path)
    given = [run if value == "RUN" else value for value in arguments]
    assert message in one_error(run_script("export", *given))
    assert not list(tmp_path.iterdir())
