import numpy as np
import pytest

from keras_cvae import runs
from keras_cvae.data.joints import read_joints, write_joints
from keras_cvae.data.synthetic import write_dataset
from keras_cvae.errors import UserError
from keras_cvae.poses.dancer import FRAMES, read_dancer
from keras_cvae.training.data import load_data
from keras_cvae.training.resolve import resolve


@pytest.fixture
def folder(tmp_path):
    return write_dataset(
        tmp_path / "data", (32, 64), frames={"train": [70, 60], "val": 4, "test": [4]}
    )


def load(folder, **settings):
    return load_data(resolve({"data": str(folder), "epochs": 1, **settings}))


def test_a_run_keeps_what_driving_needs(folder, tmp_path):
    data = load(folder, frame_size=(16, 32))
    assert data.poses(str(folder)) == "skeleton"
    data.store(tmp_path)
    dancer = read_dancer(tmp_path / runs.DANCER)
    assert dancer.frames.shape == (FRAMES, 16, 32, 3) and dancer.fps == 24
    joints = read_joints(folder / "joints.npz").of_split("train")
    assert dancer.joints[0] == pytest.approx(joints["0"][0] / 2, abs=1e-4)
    assert dancer.joints[-1] == pytest.approx(joints["1"][59] / 2, abs=1e-4)


def test_the_built_in_data_in_a_folder_are_known(folder, tmp_path):
    """Their pose images were drawn with depth, which those of other people have not."""
    assert load(folder).poses(str(folder)) == "builtin"
    lengths = {"train": [70], "val": 4, "test": [4]}
    ball = write_dataset(tmp_path / "ball", (16, 32), seed=1, frames=lengths, ball=True)
    assert load(ball).poses(str(ball)) == "builtin-ball"
    for text in ('{"frame_size": [16, 32]}', "damaged"):
        (ball / "dataset.json").write_text(text)
        assert load(ball, frame_size=(16, 32)).poses(str(ball)) == "skeleton"


def test_without_joints_it_keeps_nothing(folder, tmp_path):
    (folder / "joints.npz").unlink()
    data = load(folder)
    assert data.poses(str(folder)) is None
    (tmp_path / runs.DANCER).touch()  # of data that had joints
    for _ in range(2):
        data.store(tmp_path)
        assert not (tmp_path / runs.DANCER).exists() and (tmp_path / runs.DATA).exists()


def test_joints_of_other_images_are_a_warning(folder):
    joints = read_joints(folder / "joints.npz")
    (folder / "joints.npz").unlink()
    write_joints(folder / "joints.npz", joints._replace(number=joints.number + 1))
    last = folder / "train/train_img/0/69.png"
    last.unlink()
    (folder / "train/train_label/0/69.png").unlink()
    with pytest.warns(UserWarning, match="cannot drive .* 70 frames .* has 69"):
        assert load(folder).dancer is None


def test_a_person_without_shoulders_is_not_kept(folder):
    joints = read_joints(folder / "joints.npz")
    unseen = joints.joints.copy()
    unseen[:, 5] = np.nan
    (folder / "joints.npz").unlink()
    write_joints(folder / "joints.npz", joints._replace(joints=unseen))
    assert load(folder).dancer is None


def test_another_file_of_that_name_is_a_warning_unless_it_is_needed(folder):
    (folder / "joints.npz").unlink()
    np.savez(folder / "joints.npz", x=np.zeros(3))
    with pytest.warns(UserWarning, match="cannot drive this run: .* has no array joints"):
        assert load(folder).dancer is None
    with pytest.raises(UserError, match="has no array joints"):
        load(folder, mirror=True)


def test_ranges_are_those_of_what_is_trained_on(folder):
    whole, part, mirrored = (
        load(folder, **given).dancer for given in ({}, {"partial": 0.3}, {"mirror": True})
    )
    joints = np.array(list(read_joints(folder / "joints.npz").of_split("train")["0"].values()))
    assert len(part.joints) == 39
    np.testing.assert_allclose(part.high, np.percentile(joints[:39], 99.5, axis=0), rtol=1e-4)
    assert not np.allclose(part.high, whole.high)
    assert mirrored.low[:, 0].min() < whole.low[:, 0].min() or (
        mirrored.high[:, 0].max() > whole.high[:, 0].max()
    )
