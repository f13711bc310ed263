import json
import zipfile

import numpy as np
import pytest

from keras_cvae.data import read_split
from keras_cvae.data.joints import (
    INFO_FILE,
    Joints,
    has_joints,
    joints_of_videos,
    read_info,
    read_joints,
    write_joints,
)
from keras_cvae.data.synthetic import write_dataset
from keras_cvae.errors import UserError


@pytest.fixture
def joints():
    rng = np.random.default_rng(0)
    found = rng.uniform(0, 16, (5, 19, 2)).astype(np.float32)
    found[1, 3] = np.nan
    return Joints(
        found,
        np.array(["train", "train", "train", "val", "test"]),
        np.array(["a", "a", "b", "", "0"]),
        np.array([3, 4, 0, 0, 7]),
        np.array([16, 24]),
        np.array(24.0),
    )


def one_line(error):
    text = str(error.value)
    assert "\n" not in text
    return text


def test_what_is_written_is_read(joints, tmp_path):
    write_joints(tmp_path / "joints.npz", joints)
    read = read_joints(tmp_path / "joints.npz")
    for name, array in joints._asdict().items():
        np.testing.assert_array_equal(getattr(read, name), array)
    assert [path.name for path in tmp_path.iterdir()] == ["joints.npz"]


def test_the_joints_of_a_split_are_found_by_folder_and_number(joints):
    found = joints.of_split("train")
    assert {name: list(rows) for name, rows in found.items()} == {"a": [3, 4], "b": [0]}
    np.testing.assert_array_equal(found["a"][4], joints.joints[1])
    assert list(joints.of_split("val")) == [""] and joints.of_split("other") == {}


def test_the_drawn_dancer_has_its_joints(tmp_path):
    lengths = {"train": [4, 3], "val": 2, "test": [2]}
    folder = write_dataset(tmp_path / "dance", (16, 24), frames=lengths)
    read = read_joints(folder / "joints.npz")
    assert read.joints.shape == (11, 19, 2) and np.isfinite(read.joints).all()
    assert {name: list(rows) for name, rows in read.of_split("train").items()} == {
        "0": [0, 1, 2, 3],
        "1": [0, 1, 2],
    }
    assert read.frame_size.tolist() == [16, 24] == list(read_info(folder)["frame_size"])


@pytest.mark.parametrize("kept", [0, 10, 200, -30])
def test_a_cut_file_is_one_line(joints, tmp_path, kept):
    path = tmp_path / "joints.npz"
    write_joints(path, joints)
    path.write_bytes(path.read_bytes()[:kept])
    with pytest.raises(UserError, match=r"joints\.npz") as error:
        read_joints(path)
    one_line(error)


def test_changed_bytes_are_one_line_or_the_same_kind_of_thing(joints, tmp_path):
    path, rng = tmp_path / "joints.npz", np.random.default_rng(0)
    write_joints(path, joints)
    whole = path.read_bytes()
    for _ in range(60):
        data = bytearray(whole)
        for place in rng.integers(0, len(data), 4):
            data[place] = rng.integers(256)
        path.write_bytes(data)
        try:
            assert read_joints(path).joints.shape[1:] == (19, 2)
        except UserError as error:
            assert "\n" not in str(error) and "joints.npz" in str(error)


def test_a_missing_file_and_no_file_at_all(tmp_path):
    for path in (tmp_path / "joints.npz", tmp_path):
        with pytest.raises(UserError, match="no file"):
            read_joints(path)


class Bomb:
    exploded = False

    def __reduce__(self):
        return setattr, (Bomb, "exploded", True)


@pytest.mark.parametrize("name", Joints._fields)
def test_pickled_arrays_are_refused_and_nothing_in_them_runs(joints, tmp_path, name):
    bomb = np.array([Bomb()] * 5, dtype=object)
    np.savez(tmp_path / "joints.npz", **{**joints._asdict(), name: bomb})
    with pytest.raises(UserError, match=r"joints\.npz could not be read.*[Oo]bject arrays"):
        read_joints(tmp_path / "joints.npz")
    assert not Bomb.exploded


@pytest.mark.parametrize(
    "wrong",
    [
        {"joints": np.zeros((5, 17, 2))},
        {"joints": np.zeros((5, 19, 3))},
        {"joints": np.zeros((5, 19, 2), int)},
        {"joints": np.array(1.0)},
        {"joints": np.zeros((4, 19, 2))},
        {"split": np.array([1, 2, 3, 4, 5])},
        {"sequence": np.array(["a", "b"])},
        {"number": np.zeros(5)},
        {"frame_size": np.array([16, 24, 3])},
        {"frame_size": np.array([0, 24])},
        {"fps": np.array([24.0])},
        {"fps": np.array(np.nan)},
        {"fps": np.array(0.0)},
    ],
    ids=str,
)
def test_other_arrays_are_one_line(joints, tmp_path, wrong):
    np.savez(tmp_path / "joints.npz", **{**joints._asdict(), **wrong})
    with pytest.raises(UserError, match=r"joints\.npz") as error:
        read_joints(tmp_path / "joints.npz")
    one_line(error)


def test_no_rows_and_missing_arrays_are_one_line(joints, tmp_path):
    path = tmp_path / "joints.npz"
    empty = {name: array[:0] for name, array in joints._asdict().items() if array.ndim}
    rest = {"frame_size": joints.frame_size, "fps": joints.fps}
    np.savez(path, **{**empty, **rest})
    with pytest.raises(UserError, match="holds no joints, no frame size, or no frame rate"):
        read_joints(path)
    np.savez(path, **rest)
    with pytest.raises(
        UserError, match=r"joints\.npz has no array joints, split, sequence, number"
    ) as error:
        read_joints(path)
    one_line(error)


def test_what_unpacks_to_too_much_is_refused_before(joints, tmp_path, monkeypatch):
    monkeypatch.setenv("KERAS_CVAE_MAX_MODEL_BYTES", "1000")
    path = tmp_path / "joints.npz"
    write_joints(path, joints._replace(joints=np.zeros((5, 19, 2), np.float32)))
    with zipfile.ZipFile(path) as archive:
        assert sum(member.file_size for member in archive.infolist()) > 1000
    with pytest.raises(UserError, match="KERAS_CVAE_MAX_MODEL_BYTES"):
        read_joints(path)


def test_a_folder_without_a_description_has_none(tmp_path):
    assert read_info(tmp_path) == {} == read_info(tmp_path / "absent")


def test_the_description_is_read(tmp_path):
    (tmp_path / INFO_FILE).write_text(json.dumps({"frame_size": [48, 32], "fps": 30}))
    assert read_info(tmp_path) == {"frame_size": (48, 32), "fps": 30}


@pytest.mark.parametrize(
    "text",
    ["{", "[]", "{}", '{"frame_size": 3}', '{"frame_size": [1]}', '{"frame_size": [0, 8]}']
    + ['{"frame_size": [8.0, 8]}', '{"frame_size": [true, 8]}', '{"frame_size": "8 8"}', ""],
)
def test_a_damaged_description_is_one_line(tmp_path, text):
    (tmp_path / INFO_FILE).write_text(text)
    with pytest.raises(UserError, match=r"dataset\.json") as error:
        read_info(tmp_path)
    one_line(error)


def test_has_joints(tmp_path):
    assert not has_joints(tmp_path) and not has_joints(tmp_path / "absent")
    (tmp_path / "joints.npz").touch()
    assert has_joints(tmp_path)


def test_joints_of_videos_are_in_pixels_of_their_frames(tmp_path):
    write_dataset(tmp_path / "d", (32, 64), frames={"train": [6, 4], "val": 2, "test": [2]})
    joints = read_joints(tmp_path / "d/joints.npz")
    videos = read_split(tmp_path / "d", "train", frame_size=(16, 64))
    found = joints_of_videos(videos, joints)
    assert [len(each) for each in found] == [6, 4]
    whole = joints.of_split("train")
    np.testing.assert_allclose(found[1][3], whole["1"][3] * [1, 0.5])
    (tmp_path / "d/train/train_img/1/3.png").unlink()
    (tmp_path / "d/train/train_label/1/3.png").unlink()
    fewer = read_split(tmp_path / "d", "train")
    with pytest.raises(UserError, match="4 frames of the video train_1 and the folder has 3"):
        joints_of_videos(fewer, joints)
