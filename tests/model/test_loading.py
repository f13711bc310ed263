"""The pretrained model is what its card says."""

import hashlib
import json
import re
from pathlib import Path

import cv2
import numpy as np
import pytest
from checks import TESTS

import keras_cvae
from keras_cvae.data.synthetic import builtin_videos
from keras_cvae.inference import load_predictor
from keras_cvae.metrics import frame_psnr

FOLDER = TESTS.parent / "saved_models"
CARD = (FOLDER / "builtin_dancer.md").read_text()
MODELS = ("builtin_dancer.keras", "builtin_dancer.onnx")


@pytest.fixture(scope="module")
def video():
    return builtin_videos("val")[0]


def from_card(row):
    (value,) = re.findall(rf"^\| {row} \| ([\d.]+)", CARD, re.MULTILINE)
    return float(value)


@pytest.mark.parametrize("name", MODELS)
def test_the_cards_psnr_comes_from_the_file(video, name):
    if name.endswith(".onnx"):
        pytest.importorskip("onnxruntime", reason="the extra 'onnx' is not installed")
    predictor = load_predictor(FOLDER / name)
    assert predictor.frame_size == (32, 64) and predictor.poses == "builtin"
    predicted = predictor.predict_video(video.frames[0], video.poses)
    psnr = frame_psnr(video.frames[1:], predicted[1:]).mean()
    assert psnr == pytest.approx(from_card("prediction, PSNR"), abs=0.05)
    first = frame_psnr(video.frames[1:], video.frames[:1]).mean()
    assert first == pytest.approx(from_card("first frame copied"), abs=0.01)


@pytest.mark.parametrize("name", MODELS)
def test_the_files_are_small_and_those_of_the_card(name):
    data = (FOLDER / name).read_bytes()
    assert len(data) <= 8 * 2**20
    digest = hashlib.sha256(data).hexdigest()
    assert f"{digest}  {name}" in CARD
    manifest = json.loads((FOLDER / f"{name}.json").read_text())
    assert manifest["sha256"] == digest
    assert manifest["results"]["val_psnr"] == pytest.approx(from_card("prediction, PSNR"), abs=5e-3)


def test_from_pretrained_trains_on_and_knows_its_names():
    model = keras_cvae.from_pretrained("builtin_dancer")
    assert (model.count_params(), model.frame_size) == (808_878, (32, 64))
    assert not model.compiled and model.poses == "builtin"
    with pytest.raises(ValueError, match="'nobody'; expected one of builtin_dancer"):
        keras_cvae.from_pretrained("nobody")


def test_the_gif_is_what_the_model_predicts(video):
    ok, animation = cv2.imreadanimation(str(FOLDER / "builtin_dancer.gif"))
    # The second panel of 256 columns, two after the first; enlarged fourfold, BGRA.
    shown = [frame[-128::4, 258:514:4, 2::-1] for frame in animation.frames][:120]
    assert ok and len(shown) == 120
    model = keras_cvae.from_pretrained("builtin_dancer")
    predicted = model.predict_video(video.frames[0], video.poses[:120])
    difference = np.abs(np.stack(shown) / 255 - predicted).mean()
    assert difference < 0.02, difference  # 256 colours


def test_the_card_names_files_that_are_there():
    for name in re.findall(r"builtin_dancer\.\w+", CARD):
        assert (Path(FOLDER) / name).is_file()
