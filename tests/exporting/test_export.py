"""Exports, read back by the formats' own runtimes."""

import importlib.util
import json
import os
import sys
import zipfile
from pathlib import Path

import keras
import numpy as np
import pytest
from checks import ABSENT, call_on_each
from export_checks import SIZE, assert_same_videos, images, make_model

import keras_cvae
from keras_cvae.errors import UserError
from keras_cvae.exporting import formats, writers
from keras_cvae.exporting.exporter import export, export_all
from keras_cvae.exporting.formats import FORMATS
from keras_cvae.inference import load_predictor
from keras_cvae.inference.manifest import read_manifest, write_manifest

HERE = ("keras", "weights", "onnx", "torch")  # what torch writes by itself
OTHERS = [
    ("learned", "keras"),
    ("learned", "torch"),
    ("learned", "weights"),
    ("pose", "onnx"),
    ("pose", "torch"),
]
pytest.importorskip("onnxruntime", reason="the extra 'onnx' is not installed")
pytestmark = pytest.mark.skipif(keras.backend.backend() != "torch", reason="of what torch writes")


@pytest.fixture(scope="module")
def model():
    return make_model()


def path_of(folder, format):
    return folder / f"dancer{FORMATS[format].suffix}"


@pytest.mark.parametrize("format", HERE)
def test_an_export_predicts_what_the_model_does(model, tmp_path, format):
    path = path_of(tmp_path, format)
    manifest = keras_cvae.export(model, path, format)
    assert sorted(p.name for p in tmp_path.iterdir()) == [path.name, f"{path.name}.json"]
    predictor = load_predictor(path, trust=True)
    assert predictor.frame_size == SIZE
    assert predictor.temperature == 0.5
    assert_same_videos(predictor, model)
    assert read_manifest(path) == json.loads(json.dumps(manifest))
    assert max(manifest["deviation"].values()) < 1e-4


@pytest.mark.slow
def test_saved_model_and_onnx_of_the_published_architecture(tmp_path):
    """A SavedModel is written by TensorFlow, in another process where Keras is not on it."""
    pytest.importorskip("tensorflow")
    model = make_model("lab")
    for format, backend in {"tf_saved_model": "tensorflow", "onnx": "torch"}.items():
        manifest = export(model, path_of(tmp_path, format), format)
        assert_same_videos(load_predictor(path_of(tmp_path, format), trust=True), model)
        assert manifest["backend"] == backend


def test_the_onnx_graph_has_the_names_and_a_free_batch(model, tmp_path):
    import onnxruntime

    export(model, tmp_path / "dancer.onnx", "onnx")
    session = onnxruntime.InferenceSession(str(tmp_path / "dancer.onnx"))
    inputs = {x.name: x for x in session.get_inputs()}
    assert inputs.keys() == {"previous_frame", "pose", "z"}
    for name, shape in {"previous_frame": [*SIZE, 3], "pose": [*SIZE, 3], "z": [1, 2, 4]}.items():
        assert inputs[name].shape[1:] == shape
        assert not isinstance(inputs[name].shape[0], int)
        assert inputs[name].type == "tensor(float)"
    (output,) = session.get_outputs()
    assert output.name == "frame"


def test_the_manifest(model, tmp_path):
    path = tmp_path / "dancer.onnx"
    export(model, path, "onnx", source="runs/first", results={"val_psnr": 30.0})
    manifest = read_manifest(path)
    assert manifest["format"] == "onnx"
    assert manifest["frame_size"] == list(SIZE) and manifest["latent_shape"] == [1, 2, 4]
    assert manifest["inputs"]["z"] == ["batch", 1, 2, 4]
    assert manifest["outputs"] == {"frame": ["batch", *SIZE, 3]}
    assert (manifest["channel_order"], manifest["data_format"]) == ("RGB", "channels_last")
    assert (manifest["value_range"], manifest["dtype"]) == ([0, 1], "float32")
    assert (manifest["source"], manifest["results"]) == ("runs/first", {"val_psnr": 30.0})
    assert manifest["versions"]["keras"] and manifest["backend"] == "torch"
    assert manifest["parameters"] == model.count_params()


@pytest.mark.parametrize(
    ("prior", "format"),
    [("learned", "onnx")] + [pytest.param(*each, marks=pytest.mark.slow) for each in OTHERS],
)
def test_a_learned_prior_is_inside(tmp_path, format, prior):
    model = make_model(prior=prior, poses="builtin-ball")
    path = path_of(tmp_path, format)
    manifest = export(model, path, format)
    assert list(manifest["inputs"]) == ["previous_frame", "pose", "noise"]
    assert manifest["prior"] == read_manifest(path)["prior"] == prior
    predictor = load_predictor(path, trust=True)
    assert manifest["poses"] == predictor.poses == "builtin-ball"
    assert_same_videos(predictor, model)
    poses, z = images(), np.ones((4, 1, 2, 4), "float32")
    if format in ("keras", "weights"):
        given = [each.predict_video(poses[0], poses, z=z) for each in (predictor, model)]
        np.testing.assert_array_equal(*given)
    else:
        with pytest.raises(UserError, match=rf"z was given.*\({prior}\).*Leave z out, or load the"):
            predictor.predict_video(poses[0], poses, z=z)


def test_a_model_that_was_exported_before_there_were_priors(model, tmp_path):
    path = tmp_path / "dancer.onnx"
    export(model, path, "onnx")
    manifest = read_manifest(path)
    for name in ("prior", "poses"):
        del manifest[name], manifest["model"][name]
    write_manifest(path, manifest)
    assert_same_videos(load_predictor(path), model)
    assert load_predictor(path).poses is None
    for name in ("prior", "poses"):
        write_manifest(path, manifest | {name: "another"})
        with pytest.raises(UserError, match=f"manifest of an export: {name} missing or wrong"):
            load_predictor(path)


@pytest.mark.slow
@pytest.mark.parametrize("architecture", ["lab", "multiscale"])
def test_a_learned_prior_in_every_format_from_here(tmp_path, architecture):
    """A SavedModel is written by TensorFlow, in another process."""
    pytest.importorskip("tensorflow")
    model = make_model(architecture, prior="learned")
    for format in FORMATS:
        export(model, path_of(tmp_path, format), format)
        assert_same_videos(load_predictor(path_of(tmp_path, format), trust=True), model)


def test_a_bundle_is_one_file_to_send(model, tmp_path):
    for format in ("onnx", "weights"):  # a file that is Keras', and one that is not
        bundle = tmp_path / f"{format}.zip"
        export(model, bundle, format)
        assert len(zipfile.ZipFile(bundle).namelist()) == 2
        assert_same_videos(load_predictor(bundle, trust=True), model)
    assert sorted(p.name for p in tmp_path.iterdir()) == ["onnx.zip", "weights.zip"]


def test_mixed_precision_is_exported_as_float32(tmp_path):
    mixed = make_model(dtype="mixed_bfloat16")
    export(mixed, tmp_path / "dancer.keras", "keras")
    predictor = load_predictor(tmp_path / "dancer.keras")
    float32 = make_model()
    float32.set_weights(mixed.get_weights())
    assert_same_videos(predictor, float32)


def test_no_optimiser_is_exported(tmp_path):
    model = make_model()
    model.compile("adam")
    model.fit({"frames": images()[None], "poses": images()[None]}, verbose=0)
    model.save(tmp_path / "trained.keras")
    export(model, tmp_path / "dancer.keras", "keras")
    sizes = [(tmp_path / name).stat().st_size for name in ("dancer.keras", "trained.keras")]
    assert 2 * sizes[0] < sizes[1]  # Adam has two numbers per parameter
    assert not keras_cvae.load_model(tmp_path / "dancer.keras").compiled


def test_the_frame_size_is_that_of_the_training(tmp_path):
    model = make_model(frame_size=None)
    assert model.frame_size is None
    poses = images(size=(16, 24))
    model.compile("adam")
    model.fit({"frames": poses[None], "poses": poses[None]}, verbose=0)
    model.save(tmp_path / "trained.keras")
    assert keras_cvae.load_model(tmp_path / "trained.keras").frame_size == (16, 24)
    export(model, tmp_path / "dancer.onnx", "onnx")
    predictor = load_predictor(tmp_path / "dancer.onnx")
    assert predictor.predict_video(poses[0], poses).shape == poses.shape
    with pytest.raises(ValueError, match="16 x 24.*got 8 x 16.*at that frame size"):
        predictor.predict_video(images()[0], images())


def test_what_differs_from_keras_is_not_kept(model, tmp_path, monkeypatch):
    def write(model, path, format, frame_size):
        other = make_model(output="clip")
        other.set_weights(model.get_weights())
        writers.write(other, path, format, frame_size)

    monkeypatch.setattr("keras_cvae.exporting.exporter.write", write)
    for format in ("onnx", "torch"):
        with pytest.raises(ValueError, match="differs from Keras"):
            export(model, path_of(tmp_path, format), format)
    assert not list(tmp_path.iterdir())


def test_nothing_is_overwritten(model, tmp_path):
    for name in ("dancer.onnx", "other.onnx.json"):
        (tmp_path / name).write_text("mine")
    for name in ("dancer.onnx", "other.onnx"):
        with pytest.raises(ValueError, match="exists"):
            export(model, tmp_path / name, "onnx")
    assert {p.read_text() for p in tmp_path.iterdir()} == {"mine"}


@pytest.mark.parametrize(
    ("name", "format", "message"),
    [
        ("dancer.onnx", "caffe", "Unknown format 'caffe'; expected one of keras, weights, onnx"),
        ("dancer.keras", "onnx", "onnx must end in .onnx, or .zip"),
        ("dancer.h5", "weights", "end in .weights.h5"),
        ("dancer.pb", "tf_saved_model", "be a folder"),
    ],
)
def test_wrong_names(model, tmp_path, name, format, message):
    with pytest.raises(ValueError, match=message):
        export(model, tmp_path / name, format)


def test_a_size_that_the_architecture_cannot_have(model, tmp_path):
    with pytest.raises(ValueError, match="multiples of 8"):
        export(model, tmp_path / "new/dancer.onnx", "onnx", frame_size=(8, 12))
    assert not list(tmp_path.iterdir())


@pytest.fixture
def without(monkeypatch):
    """Makes packages look absent."""
    find = importlib.util.find_spec

    def hide(*packages):
        monkeypatch.setattr(
            formats.importlib.util, "find_spec", lambda n: None if n in packages else find(n)
        )

    return hide


def test_missing_packages_are_named(model, tmp_path, without):
    without("onnx", "tensorflow", "tf2onnx")
    absent = r"onnx \(with torch\); or tensorflow, onnx, tf2onnx \(with tensorflow\)"
    with pytest.raises(ValueError, match=absent):
        export(model, tmp_path / "dancer.onnx", "onnx")
    with pytest.raises(ValueError, match=r"pip install 'keras_cvae\[tensorflow\]'"):
        export(model, tmp_path / "dancer", "tf_saved_model")


@pytest.mark.slow
def test_all_that_can_be_written_is_written(model, tmp_path, without):
    without("tensorflow", "onnxruntime")
    said = {}
    written = export_all(model, tmp_path / "dancer", on_exported=said.__setitem__)
    assert set(written) == {"keras", "weights", "torch"}
    assert all(isinstance(said[name], ValueError) for name in ("tf_saved_model", "onnx"))
    assert len(list((tmp_path / "dancer").iterdir())) == 2 * len(written)
    for name in written.values():
        assert load_predictor(tmp_path / "dancer" / name, trust=True).frame_size == SIZE


def test_all_is_whole_or_not_at_all(model, tmp_path, monkeypatch):
    def fail(step, path, shapes):
        raise RuntimeError("no such operation")

    monkeypatch.setitem(writers._GRAPHS, "torch", fail)
    with pytest.raises(ValueError, match="torch could not be written: no such operation"):
        export_all(model, tmp_path / "dancer", formats=["weights", "torch"])
    with pytest.raises(ValueError, match="could not be written"):
        export(model, tmp_path / "new/sub/dancer.pt2", "torch")
    assert not list(tmp_path.iterdir())


def test_a_model_whose_training_broke_says_so(tmp_path):
    broken = make_model()
    broken.set_weights([w * np.nan for w in broken.get_weights()])
    with pytest.raises(ValueError, match="its training broke"):
        export(broken, tmp_path / "dancer.keras", "keras")
    assert not list(tmp_path.iterdir())


def test_what_is_no_model_size_or_folder(model, tmp_path):
    with pytest.raises(ValueError, match="takes a CVAE; got a Sequential"):
        export(keras.Sequential(), tmp_path / "dancer.onnx", "onnx")
    with pytest.raises(ValueError, match=r"both positive; got \(8,\)"):
        export(model, tmp_path / "dancer.onnx", "onnx", frame_size=(8,))
    with pytest.raises(ValueError, match="go into a folder"):
        export_all(model, tmp_path / "dancer.zip")
    with pytest.raises(ValueError, match="Unknown format 'caffe'"):
        export_all(model, tmp_path / "dancer", formats=["caffe"])
    (tmp_path / "file").touch()
    with pytest.raises(ValueError, match="file could not be made"):
        export(model, tmp_path / "file/dancer.onnx", "onnx")
    export(model, tmp_path / "dancer.keras", "keras", frame_size=np.array([16, 16]))
    assert read_manifest(tmp_path / "dancer.keras")["frame_size"] == [16, 16]


def test_the_backend_in_use_comes_first(monkeypatch):
    monkeypatch.setattr(formats.importlib.util, "find_spec", lambda name: name)  # all installed
    assert formats.writing_backend("onnx", "tensorflow") == "tensorflow"
    assert formats.writing_backend("onnx", "jax") == "torch"
    assert formats.writing_backend("torch", "jax") == "torch"
    assert formats.writing_backend("weights", "jax") == "jax"


def export_from(backend, path, folder):
    """Exports a model to every format, in a process on another backend."""
    # The processes that write through TensorFlow find it again.
    path_of_others = os.environ["PYTHONPATH"].split(os.pathsep)
    os.environ["PYTHONPATH"] = os.pathsep.join(p for p in path_of_others if Path(p) != ABSENT)
    model = keras_cvae.load_model(path, compile=False)
    print(json.dumps(export_all(model, f"{folder}/{backend}", formats=list(FORMATS))))


@pytest.mark.slow
def test_every_format_from_every_backend(model, tmp_path):
    model.save(tmp_path / "model.keras")
    done = call_on_each(export_from, tmp_path / "model.keras", tmp_path, timeout=600, fresh=True)
    for backend, printed in done.items():
        assert isinstance(printed, str), printed
        written = json.loads(printed.splitlines()[-1])
        assert set(written) == set(FORMATS), backend
        for name in written.values():
            assert_same_videos(load_predictor(tmp_path / backend / name, trust=True), model)


def test_a_missing_runtime_is_named(model, tmp_path, monkeypatch):
    export(model, tmp_path / "dancer.onnx", "onnx")
    monkeypatch.setitem(sys.modules, "onnxruntime", None)
    with pytest.raises(ValueError, match="pip install onnxruntime"):
        load_predictor(tmp_path / "dancer.onnx")


def test_random_input_is_compared(model, tmp_path):
    export(model, tmp_path / "dancer.onnx", "onnx")
    other = make_model()
    other.set_weights([w * np.float32(1.01) for w in model.get_weights()])
    predictor = load_predictor(tmp_path / "dancer.onnx")
    from keras_cvae.exporting.checks import deviations

    with pytest.raises(ValueError, match="one_step of random input"):
        deviations(other, predictor, SIZE)


def test_a_model_that_runs_away_is_said_to(model, monkeypatch):
    def overflows(first_frames, poses, **options):
        for _ in range(poses.shape[1] - 1):
            yield np.full(first_frames.shape, np.inf, "float32")

    from keras_cvae.exporting.checks import deviations

    predictor = model.predictor
    monkeypatch.setattr(model, "stream_video", overflows)
    with pytest.raises(ValueError, match="prediction of the model, from random input, .*finite"):
        deviations(model, predictor, SIZE)
