"""The page as one file, opened from the file in a browser."""

import base64
import gzip
import json
import re
import shutil

import numpy as np
import pytest
from browser import Browser
from play_checks import (
    REQUEST,
    check_a_dragged_wrist,
    needs_the_web_runtime,
    rollout,
    unpacked,
)

from keras_cvae import CVAE
from keras_cvae.errors import UserError
from keras_cvae.images import to_uint8
from keras_cvae.inference import load_predictor
from keras_cvae.model.loading import PRETRAINED, load_model
from keras_cvae.play import export_page as module
from keras_cvae.play.content import Content
from keras_cvae.play.export_page import export_page
from keras_cvae.play.web_runtime import WebRuntime
from keras_cvae.runs import create_run

MODEL = PRETRAINED / "builtin_dancer.keras"
WIDTHS = {"frame_features": 8, "pose_features": 8, "latent_maps": 4, "decoder_features": 8}
FRAMES = 60

# What the engine says of a call that it cannot take.
REFUSED = """(async () => {
  const { content, engine } = playground;
  const pose = content.starts[0].image.data;
  const noise = new Float32Array(content.latent_shape.reduce((a, b) => a * b));
  await engine.start(pose);
  return %s.then(() => "", (error) => error.message);
})()"""


def expected_rollout(model, content, noise, count):
    first = unpacked(content["starts"][0]["image"])
    poses = unpacked(content["choreography"]["poses"])[: count + 1]
    predictor = load_predictor(model)
    z = np.broadcast_to(noise, (count, *noise.shape))
    step = predictor.step_for((1, *first.shape), noise.shape)
    frame, frames = first[None].astype("float32") / 255, []
    for pose, each in zip(poses[1:], z, strict=True):
        frame = step(frame, pose[None].astype("float32") / 255, each[None])
        frames.append(frame[0])
    return to_uint8(np.stack(frames))


@pytest.fixture(scope="module")
def browser():
    with Browser() as browser:
        yield browser


@pytest.fixture(scope="module")
def runtime(browser):
    return needs_the_web_runtime()


@pytest.fixture(scope="module")
def exported(runtime, tmp_path_factory):
    path = tmp_path_factory.mktemp("page") / "new" / "dancer.html"
    export_page(MODEL, path)
    return path


@pytest.fixture(scope="module")
def page(browser, exported):
    page = browser.open(exported.as_uri())
    page.evaluate("playground.ready", timeout=60)
    return page


def test_the_file_is_small(exported):
    assert exported.stat().st_size <= 12e6
    assert [path.name for path in exported.parent.iterdir()] == ["dancer.html"]


def test_it_predicts_what_predict_video_predicts(page):
    content = Content(MODEL, load_predictor(MODEL)).values()
    model = load_model(MODEL, compile=False)
    first = unpacked(content["starts"][0]["image"])
    poses = unpacked(content["choreography"]["poses"])[: FRAMES + 1]
    expected = to_uint8(model.predict_video(first, poses, temperature=0.0))[1:]
    found = rollout(page, np.zeros(model.latent_shape(first.shape[:2])), FRAMES)
    difference = np.abs(found.reshape(expected.shape).astype(int) - expected)
    assert difference.max() <= 1
    assert np.abs(expected[-1].astype(int) - first).max() > 50  # the dancer has moved


def test_a_dragged_wrist_moves_the_arm_in_the_picture(page):
    check_a_dragged_wrist(page)


def test_it_asks_nothing_of_the_outside_and_complains_of_nothing(page, exported):
    assert page.errors == []
    assert page.evaluate("document.querySelector('[role=alert]').hidden")
    assert page.requests[0] == exported.as_uri()
    assert {address.partition(":")[0] for address in page.requests[1:]} <= {"data", "blob"}


def test_the_page_itself_keeps_from_the_outside(page):
    try:
        assert page.evaluate(REQUEST) == "connect-src"
    finally:
        page.errors.clear()  # Chromium reports it, as it should


@pytest.mark.slow
def test_another_prior_and_size_and_noise(browser, runtime, tmp_path):
    model = CVAE("multiscale", prior="learned", poses="builtin", initialisation="pytorch", **WIDTHS)
    model.note_frame_size((16, 32))
    model.save(tmp_path / "small.keras")
    export_page(tmp_path / "small.keras", tmp_path / "small.html", (24, 40))
    page = browser.open((tmp_path / "small.html").as_uri())
    page.evaluate("playground.ready", timeout=60)
    assert page.evaluate("playground.content.frame_size") == [24, 40]
    noise = 50 * np.random.default_rng(0).standard_normal(model.latent_shape((24, 40)), "float32")
    predictor = load_predictor(tmp_path / "small.keras")
    content = Content(tmp_path / "small.keras", predictor, (24, 40)).values()
    expected = expected_rollout(tmp_path / "small.keras", content, noise, 5)
    found = rollout(page, noise, 5).reshape(expected.shape)
    assert np.abs(found.astype(int) - expected).max() <= 1
    without = expected_rollout(tmp_path / "small.keras", content, 0 * noise, 5)
    assert np.abs(without.astype(int) - expected).max() > 9  # the noise matters
    assert page.errors == []


@pytest.mark.parametrize(
    "call, said",
    [
        ("engine.step(noise.subarray(1), pose)", "The noise has"),
        ("engine.step(noise, pose.subarray(3))", "The pose has"),
        ("engine.start(pose.subarray(3))", "The first frame has"),
        ("engine.step(noise.map(() => NaN), pose)", "The prediction is not finite."),
    ],
)
def test_what_the_engine_cannot_take_is_an_error_in_words(page, call, said):
    assert page.evaluate(REFUSED % call).startswith(said)


@pytest.mark.parametrize(
    "spoil, said",
    [
        ("delete globalThis.WebAssembly", "This browser has no WebAssembly, or it is switched off"),
        ("delete globalThis.DecompressionStream", "This browser is too old for the page"),
        ("Blob.prototype.stream = () => new Response('x').body", "A part of this page is damaged"),
    ],
    ids=["no WebAssembly", "an old browser", "a damaged file"],
)
def test_a_page_that_cannot_start_says_why(browser, exported, spoil, said):
    page = browser.open()
    page.call("Page.addScriptToEvaluateOnNewDocument", source=spoil)
    page.go(exported.as_uri())
    page.wait_for("!document.querySelector('[role=alert]').hidden")
    assert said in page.evaluate("document.querySelector('[role=alert]').innerText")


@pytest.fixture
def no_export(monkeypatch):
    """The runtime is a few bytes, and what comes after it is not to be reached."""
    monkeypatch.setattr(module, "web_runtime", lambda folder: WebRuntime(b"m", b"w"))
    monkeypatch.setattr(module, "export", None)


def test_a_model_whose_poses_are_unknown_is_refused_in_one_line(no_export, tmp_path):
    model = CVAE("multiscale", frame_size=(16, 32), **WIDTHS)
    model.save(tmp_path / "other.keras")
    with pytest.raises(UserError, match="other.keras is not known to be trained on poses"):
        export_page(tmp_path / "other.keras", tmp_path / "new" / "x.html")
    assert [path.name for path in tmp_path.iterdir()] == ["other.keras"]


def test_what_exists_is_never_overwritten(no_export, tmp_path):
    out = tmp_path / "x.html"
    out.write_text("mine")
    with pytest.raises(UserError, match="x.html exists"):
        export_page(MODEL, out)
    assert out.read_text() == "mine"


def test_the_ending_is_checked_first(no_export, tmp_path):
    with pytest.raises(UserError, match="must end in .html; got .*x.onnx"):
        export_page(tmp_path / "none", tmp_path / "x.onnx")


@pytest.fixture
def quick_export(monkeypatch):
    """Runtime and graph are a few bytes. Returns the calls of the export."""
    calls = []

    def export(model, path, *given):
        calls.append(given)
        path.write_bytes(b"graph")
        return {"inputs": dict.fromkeys(["a", "b", "noise"]), "deviation": {"one_step": 0.0}}

    monkeypatch.setattr(module, "web_runtime", lambda folder: WebRuntime(b"code", b"program"))
    monkeypatch.setattr(module, "export", export)
    return calls


def test_a_run_folder(quick_export, tmp_path, capsys):
    run = tmp_path / "first"
    config = {"schedule_epochs": 1, "frame_size": [32, 64], "data": "builtin"}
    create_run(run, config)
    shutil.copy(MODEL, run / "best.keras")
    out = tmp_path / "made" / "x.html"
    export_page(run, out, (16, 32))
    assert quick_export == [("onnx", (16, 32))]
    setup = json.loads(re.search(r'id="setup">(.*?)</script>', out.read_text("utf-8"), re.S)[1])
    assert setup["content"]["name"] == "first" and setup["content"]["frame_size"] == [16, 32]
    assert len(setup["content"]["dances"]) == module.DANCES
    assert setup["engine"] == "local" and setup["inputs"] == ["a", "b", "noise"]
    parts = {"module": b"code", "wasm": b"program", "model": b"graph"}
    for name, data in parts.items():
        assert gzip.decompress(base64.b64decode(setup[name])) == data
    size = out.stat().st_size / 1e6
    said = capsys.readouterr().out
    assert f"page: {size:.1f} MB; a browser runs the model in it, at 16 x 32, without a ser" in said


def test_a_file_that_appears_meanwhile_stays(quick_export, monkeypatch, tmp_path):
    out = tmp_path / "x.html"
    monkeypatch.setattr(module, "whole_page", lambda *_: out.write_text("of another") and "page")
    with pytest.raises(UserError, match="x.html exists"):
        export_page(MODEL, out)
    assert out.read_text() == "of another" and len(list(tmp_path.iterdir())) == 1
