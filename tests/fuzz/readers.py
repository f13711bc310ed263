"""The readers of foreign files, each with a good file and a check of what it reads.

A later reader joins with a function here.
"""

import dataclasses
import json
import shutil
import zipfile
from collections.abc import Callable
from pathlib import Path
from typing import Any

import cv2
import keras
import numpy as np
import pytest
from bodies import standing
from checks import TINIEST
from films import film
from mutations import mutated, mutated_member

from keras_cvae import CVAE, files, load_lab_checkpoint, load_model, runs, save_lab_checkpoint
from keras_cvae.callbacks.training_state import read_training_state
from keras_cvae.data.decoding import read_image
from keras_cvae.data.joints import JOINTS_FILE, read_info, read_joints
from keras_cvae.data.synthetic import write_dataset
from keras_cvae.evaluation.submission import read_submission, write_submission
from keras_cvae.inference import load_predictor
from keras_cvae.inference.manifest import manifest_path
from keras_cvae.play.session import Session
from keras_cvae.poses.dancer import make_dancer, read_dancer, write_dancer
from keras_cvae.poses.keypoints import read_keypoints
from keras_cvae.poses.normalise import normalise
from keras_cvae.training.resolve import resolve
from keras_cvae.video.read import read_video

SIZE = (8, 16)
SIZE_DRAWN = (16, 32)  # the least of the built-in data
STATE = {
    "epoch": 2,
    "history": [{"epoch": e, "loss": 0.5, "val_psnr": 20.0} for e in (1, 2)],
    "callbacks": {"0-_BestCheckpoint": {"best": 20.0}},
}


@dataclasses.dataclass
class Reader:
    """One reader.

    Args:
        make: function of a folder that writes a good file there and returns its path.
        read: function of the path that reads it and checks what it read.
        cheap: whether 200 readings take a second or two.
        mutate: function of bytes and a seed.
        victim: function of the good file's path: the file that is mutated.
        equal: whether what is read must be what the good file holds, as it has a checksum.
    """

    make: Callable[[Path], Path]
    read: Callable[[Path], Any]
    cheap: bool = True
    mutate: Callable[[bytes, int], bytes] = mutated
    victim: Callable[[Path], Path] = lambda path: path
    equal: bool = False


def images(number=3):
    return np.random.default_rng(0).integers(0, 256, (number, *SIZE, 3), dtype=np.uint8)


# === Images and folders ===


def _image(suffix):
    def make(folder):
        coarse = np.random.default_rng(0).integers(0, 255, (4, 6, 3), dtype=np.uint8)
        assert cv2.imwrite(str(folder / f"0{suffix}"), cv2.resize(coarse, (48, 32)))
        return folder / f"0{suffix}"

    return make


def _check_image(path):
    image = read_image(path)
    assert image.dtype == np.uint8 and image.ndim == 3 and image.shape[2] == 3 and image.size
    return image


# === Videos ===


def _video(folder):
    return film(folder / "x.mp4", stamps=range(10), size=(32, 32))


def _check_video(path):
    shapes = {frame.image.shape for frame in read_video(path, limit=20)}
    assert len(shapes) == 1 and shapes.pop()[2] == 3


# === Models ===


def model(architecture="multiscale", **arguments):
    keras.utils.set_random_seed(0)
    return CVAE(architecture, **{**TINIEST, "frame_size": SIZE, **arguments})


def _keras(folder):
    model().save(folder / "x.keras")
    return folder / "x.keras"


def _exported(format, name):
    def make(folder):
        from keras_cvae.exporting.exporter import export

        pytest.importorskip("onnxruntime")
        export(model(), folder / name, format, SIZE)
        return folder / name

    return make


def _checkpoint(folder):
    save_lab_checkpoint(model("lab", output="none"), folder / "x.ckpt")
    return folder / "x.ckpt"


def _predict(predictor):
    video = predictor.predict_video(images()[0], images(), temperature=0.0)
    assert video.shape == (3, *SIZE, 3) and np.isfinite(video).all()
    return video


def _read_checkpoint(path):
    loaded = load_lab_checkpoint(path, output="sigmoid")
    assert all(np.isfinite(weight).all() for weight in loaded.get_weights())


# === Run folders and tables ===


def _run(folder):
    config = dataclasses.asdict(resolve({"epochs": 8, "kl_anneal": "cyclical"}))
    runs.create_run(folder / "run", {**config, "environment": {"backend": "torch"}})
    return folder / "run"


def _read_config(run):
    stored = runs.read_config(run)
    stored.pop("environment", None)
    config = resolve(stored)
    assert config.epochs >= 1 and min(config.frame_size) >= 1


def _history(folder):
    runs.write_history(folder / "history.csv", STATE["history"])
    return folder / "history.csv"


def _read_history(path):
    from keras_cvae.plots.sources import history_columns

    columns = history_columns(path)
    assert len({len(column) for column in columns.values()}) == 1


def _metrics(folder):
    metrics = {"val_psnr": 30.1, "val_ssim": 0.9, "baselines": {"first_frame": 19.0}, "epochs": 2}
    files.write_json(folder / "metrics.json", metrics)
    return folder


def _submission(folder):
    write_submission(folder / "x.csv", [images(2), images(3)])
    return folder / "x.csv"


def _read_submission(path):
    read = read_submission(path, [2, 3], SIZE)
    assert [len(each) for each in read] == [2, 3]
    assert all(np.isfinite(each).all() and each.min() >= 0 for each in read)


def _state(folder):
    path = _keras(folder)
    with zipfile.ZipFile(path, "a") as archive:
        archive.writestr("training_state.json", json.dumps(STATE))
    return path


# === Keypoints of other tools ===


def _keypoints_json(folder):
    point = {"keypoints": [[30.5, 40.25]] * 17, "keypoint_scores": [0.5] * 17}
    frames = [{"frame_id": n, "instances": [point] * n} for n in range(3)]
    files.write_json(folder / "x.json", {"instance_info": frames})
    return folder / "x.json"


def _keypoints_npz(folder):
    points = np.random.default_rng(0).uniform(0, 100, (3, 2, 25, 3))
    np.savez(folder / "x.npz", keypoints=points, frame_size=(100, 200), fps=25.0)
    return folder / "x.npz"


def _read_keypoints(path):
    found = read_keypoints(path)
    people = [person for frame in found.people for person in frame]
    assert people and (found.fps is None or 0 < found.fps < np.inf)
    for joints, scores in people:
        assert joints.shape == (19, 2) and scores.shape == (19,)
        assert (np.isfinite(joints).all(axis=1) == (scores > 0)).all() and scores.max() <= 1


# === Joints and dancers of this package ===


def _joints(folder):
    write_dataset(folder / "x", SIZE_DRAWN, frames={"train": 3, "val": 2, "test": [2]})
    return folder / "x"


def _read_joints(root):
    info = read_info(root)
    assert min(info["frame_size"]) >= 1
    joints = read_joints(root / JOINTS_FILE)
    assert joints.joints.shape == (len(joints.number), 19, 2)
    joints.of_split("train")


def _dancer(folder):
    joints = np.random.default_rng(0).uniform(0, 16, (4, 19, 2))
    write_dancer(folder / "dancer.npz", make_dancer([images(4)], joints, 24))
    return folder / "dancer.npz"


def _read_dancer(path):
    dancer = read_dancer(path)
    pose = dancer.joints[0]
    assert dancer.frames[dancer.nearest(pose)].shape[2] == 3
    assert np.isfinite(normalise(standing()[None], dancer.body)).any()
    dancer.outside(pose[None])


# === What a page sends to the server ===


def _session():
    return Session(lambda previous, pose, noise: (previous + pose) / 2, SIZE, (1, 2, 4))


def _messages(folder):
    start, pose = (image.tobytes() for image in images(2))
    noise = np.random.default_rng(0).standard_normal(8).astype("<f4").tobytes()
    (folder / "messages").write_bytes(b"\x01" + start + b"\x02" + noise + pose)
    return folder / "messages"


def _read_messages(path):
    data, session = path.read_bytes(), _session()
    length = 1 + SIZE[0] * SIZE[1] * 3
    for message in (data[:length], data[length:]):
        answer = session.answer(message)
        assert len(answer) == length and answer[0] == message[0]
    assert session.answer(data[:length]) == data[:length]


def _inside(name):
    return lambda folder: folder / name


_with_manifest = {"read": lambda path: _predict(load_predictor(path)), "cheap": False}
READERS = {
    **{suffix: Reader(_image(suffix), _check_image) for suffix in (".png", ".jpg", ".webp")},
    "video": Reader(_video, _check_video),
    "config": Reader(_run, _read_config, victim=_inside("config.json")),
    "history": Reader(_history, _read_history),
    "metrics": Reader(_metrics, runs.read_metrics, victim=_inside("metrics.json")),
    "submission": Reader(_submission, _read_submission),
    "keypoints.json": Reader(_keypoints_json, _read_keypoints),
    "keypoints.npz": Reader(_keypoints_npz, _read_keypoints, mutate=mutated_member),
    "joints": Reader(_joints, _read_joints, mutate=mutated_member, victim=_inside("joints.npz")),
    "dataset.json": Reader(_joints, _read_joints, victim=_inside("dataset.json")),
    "dancer": Reader(_dancer, _read_dancer, mutate=mutated_member),
    "messages": Reader(_messages, _read_messages),
    "state": Reader(_state, read_training_state),
    "state inside": Reader(_state, read_training_state, mutate=mutated_member),
    "keras": Reader(_keras, lambda path: _predict(load_model(path)), cheap=False, equal=True),
    "keras inside": Reader(
        _keras, lambda path: _predict(load_model(path)), cheap=False, mutate=mutated_member
    ),
    "checkpoint": Reader(_checkpoint, _read_checkpoint, cheap=False),
    "checkpoint inside": Reader(_checkpoint, _read_checkpoint, cheap=False, mutate=mutated_member),
    "onnx": Reader(_exported("onnx", "x.onnx"), equal=True, **_with_manifest),
    "onnx manifest": Reader(_exported("onnx", "x.onnx"), victim=manifest_path, **_with_manifest),
    "weights": Reader(_exported("weights", "x.weights.h5"), equal=True, **_with_manifest),
    "weights manifest": Reader(
        _exported("weights", "x.weights.h5"), victim=manifest_path, **_with_manifest
    ),
    "bundle": Reader(_exported("onnx", "x.zip"), equal=True, **_with_manifest),
    "bundle inside": Reader(_exported("onnx", "x.zip"), mutate=mutated_member, **_with_manifest),
}


def data_folder(folder):
    """A good data folder."""
    frames = {"train": [4], "val": [3], "test": [3, 2]}
    return write_dataset(folder, (16, 16), seed=0, frames=frames)


def harm_folder(folder, seed):
    """What happens to folders: files renamed, lost, added, doubled, emptied, replaced."""
    rng = np.random.default_rng(seed)
    for _ in range(rng.integers(1, 4)):
        # The files of the folder itself are not images, and have readers of their own.
        paths = sorted(p for p in folder.rglob("*") if p.is_file() and p.parent != folder)
        if not paths:
            return
        path, other = (paths[i] for i in rng.integers(len(paths), size=2))
        name = str(rng.choice(_NAMES))
        match rng.integers(8):
            case 0:
                path.rename(path.with_name(name))
            case 1:
                path.unlink()
            case 2:
                shutil.copy(path, path.with_name(name))
            case 3:
                path.write_bytes(b"")
            case 4:
                shutil.copy(other, path)
            case 5:
                shutil.rmtree(path.parent)
            case 6:
                path.unlink()
                path.mkdir()
            case 7:
                path.write_bytes(mutated(path.read_bytes(), seed))


_NAMES = [
    *("1700000000.png", "frame_000001.png", "1.5.png", "-1.png", "0.PNG", "a b.png", "1.jpg"),
    *("Thumbs.db", "@eaDir", ".DS_Store", "x.txt", "00001.png", "9" * 200 + ".png", "٣.png"),
    *("clip_01_02.png", "0", "0.png.png", "².png", "\udcff.png"),
]
