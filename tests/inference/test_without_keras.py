"""The ONNX path in a virtual environment that holds numpy, OpenCV and onnxruntime alone."""

import importlib.metadata
import os
import subprocess
import venv
from pathlib import Path

import cv2
import numpy as np
import pytest
from checks import TESTS

import keras_cvae
from keras_cvae import CVAE

pytest.importorskip("onnxruntime", reason="the extra 'onnx' is not installed")
# OpenCV by whichever of its packages is installed.
ALLOWED = ("numpy", *importlib.metadata.packages_distributions()["cv2"], "onnxruntime")


@pytest.fixture(scope="module")
def python(tmp_path_factory):
    """The interpreter of an environment that sees those packages of this one, and no other."""
    folder = tmp_path_factory.mktemp("venv")
    venv.create(folder, with_pip=False, symlinks=True)
    (site,) = folder.glob("lib/python*/site-packages") if os.name != "nt" else [folder / "Lib"]
    for package in ALLOWED:
        for file in importlib.metadata.files(package):
            top = site / file.parts[0]
            if file.parts[0] != ".." and not top.exists():
                top.symlink_to(Path(file.locate()).parents[len(file.parts) - 2])
    return folder / "bin/python"


@pytest.fixture(scope="module")
def exported(tmp_path_factory):
    folder = tmp_path_factory.mktemp("exported")
    model = CVAE("multiscale", 8, 8, 4, 8, temperature=1.0, frame_size=(8, 16), seed=0)
    keras_cvae.export(model, folder / "dancer.onnx", "onnx")
    keras_cvae.export(model, folder / "dancer.zip", "onnx")
    poses = np.random.default_rng(0).integers(0, 256, (4, 8, 16, 3), dtype=np.uint8)
    (folder / "poses").mkdir()
    for number, pose in enumerate(poses):
        cv2.imwrite(str(folder / f"poses/{number}.png"), pose[..., ::-1])
    np.save(folder / "expected.npy", model.predict_video(poses[0], poses, seed=3))
    return folder


def run(python, *arguments, code=0):
    environment = {k: v for k, v in os.environ.items() if k != "KERAS_BACKEND"}
    environment["PYTHONPATH"] = str(TESTS.parent)
    done = subprocess.run(
        [python, *map(str, arguments)], env=environment, capture_output=True, text=True
    )
    assert done.returncode == code, done.stderr
    return done.stderr if code else done.stdout


def test_the_environment_has_no_keras(python):
    absent = "keras", "torch", "tensorflow", "jax", "matplotlib", "onnx"
    code = "import importlib.util as u, sys; print([n for n in sys.argv[1:] if u.find_spec(n)])"
    assert run(python, "-c", code, *absent).strip() == "[]"


@pytest.mark.parametrize("name", ["dancer.onnx", "dancer.zip"])
def test_it_predicts_what_keras_does(python, exported, name):
    code = """
import sys
from pathlib import Path
import numpy as np
from keras_cvae.data.decoding import read_images
from keras_cvae.inference import load_predictor
folder = Path(sys.argv[1])
predictor = load_predictor(folder / sys.argv[2])
poses, _ = read_images([folder / f"poses/{t}.png" for t in range(4)])
video = predictor.predict_video(poses[0], poses, predictor.temperature, seed=3)
print(predictor.frame_size, np.abs(video - np.load(folder / "expected.npy")).max())
"""
    size, deviation = run(python, "-c", code, exported, name).strip().rsplit(" ", 1)
    assert size == "(8, 16)" and float(deviation) < 1e-5


def test_the_script_works_there(python, exported, tmp_path):
    arguments = ["--first-frame", exported / "poses/0.png", "--poses", exported / "poses"]
    out = tmp_path / "out"
    script = TESTS.parent / "scripts/predict.py"
    run(python, script, exported / "dancer.onnx", *arguments, "--out", out, "--seed", 3)
    frames = np.stack([cv2.imread(str(out / f"{t}.png"))[..., ::-1] for t in range(4)])
    np.testing.assert_allclose(frames, 255 * np.load(exported / "expected.npy"), atol=0.51)


def test_a_file_of_keras_says_what_is_missing(python, tmp_path):
    (tmp_path / "x.keras").touch()
    script = TESTS.parent / "scripts/predict.py"
    arguments = ["--first-frame", "x.png", "--poses", "poses", "--out", tmp_path / "x.gif"]
    printed = run(python, script, tmp_path / "x.keras", *arguments, code=2)
    assert printed.startswith("error: No Keras backend is installed")
