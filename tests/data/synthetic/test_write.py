import numpy as np
import pytest

from keras_cvae.data.dance_folder import read_split
from keras_cvae.data.joints import read_info
from keras_cvae.data.synthetic import builtin_videos, write_dataset
from keras_cvae.progress import Progress

FRAMES = {"train": 6, "val": [4], "test": [3, 3]}


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    return write_dataset(tmp_path_factory.mktemp("data") / "deep" / "dance", frames=FRAMES)


def names(folder):
    return sorted(str(p.relative_to(folder)) for p in folder.rglob("*") if p.is_file())


def test_the_layout(folder):
    expected = [f"train/train_{kind}/{n}.png" for kind in ("img", "label") for n in range(6)]
    expected += [f"val/val_{kind}/{n}.png" for kind in ("img", "label") for n in range(4)]
    expected += [f"test/test_img/{k}/0.png" for k in range(2)]
    expected += [
        f"test/test_{kind}/{k}/{n}.png"
        for kind in ("label", "truth")
        for k in range(2)
        for n in range(3)
    ]
    assert names(folder) == sorted([*expected, "dataset.json", "joints.npz"])
    assert [p.name for p in folder.parent.iterdir()] == ["dance"]


@pytest.mark.parametrize("split", ["train", "val", "test"])
def test_it_reads_back_as_the_built_in_data(folder, split):
    for read, drawn in zip(
        read_split(folder, split), builtin_videos(split, frames=FRAMES[split]), strict=True
    ):
        assert read.name == drawn.name
        np.testing.assert_array_equal(read.frames, drawn.frames)
        np.testing.assert_array_equal(read.poses, drawn.poses)


def test_a_folder_with_the_ball(tmp_path, folder):
    small = {"train": 2, "val": [3], "test": [2]}
    with_ball = write_dataset(tmp_path / "ball", frames=small, ball=True)
    info = {"frame_size": (32, 64), "fps": 24, "seed": 0}
    assert read_info(with_ball) == info | {"ball": True}
    assert read_info(folder) == info
    (read,), (drawn,) = read_split(with_ball, "val"), builtin_videos("val", frames=3, ball=True)
    np.testing.assert_array_equal(read.frames, drawn.frames)
    np.testing.assert_array_equal(read.poses, drawn.poses)
    assert (drawn.frames != builtin_videos("val", frames=3)[0].frames).any()


def test_several_training_videos_get_subfolders(tmp_path):
    frames = {"train": [2, 3], "val": 1, "test": [1]}
    folder = write_dataset(tmp_path / "dance", (16, 32), 3, frames)
    assert [len(v.frames) for v in read_split(folder, "train", frame_size=None)] == [2, 3]


def test_an_existing_folder_is_left_alone(folder):
    before = names(folder)
    with pytest.raises(ValueError, match="exists"):
        write_dataset(folder, frames={"train": 1, "val": 1, "test": 1})
    assert names(folder) == before


def test_nothing_is_left_of_an_interrupted_write(tmp_path, monkeypatch):
    class Stops(Progress):
        def update(self, n=1):
            super().update(n)
            if self.done == 5:
                raise KeyboardInterrupt

    monkeypatch.setattr("keras_cvae.data.synthetic.write.Progress", Stops)
    with pytest.raises(KeyboardInterrupt):
        write_dataset(tmp_path / "dance", frames=FRAMES)
    assert list(tmp_path.iterdir()) == []


def test_progress_counts_every_frame(tmp_path, monkeypatch):
    made = []

    class Kept(Progress):
        def __init__(self, *arguments):
            super().__init__(*arguments)
            made.append(self)

    monkeypatch.setattr("keras_cvae.data.synthetic.write.Progress", Kept)
    write_dataset(tmp_path / "dance", frames=FRAMES)
    assert [(each.done, each.total) for each in made] == [(16, 16)]


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ({"frames": {"valid": 3}}, "Unknown split 'valid'"),
        ({"frames": {"val": 0}}, "positive integer"),
        ({"frame_size": (4, 4)}, "frame_size"),
        ({"seed": -2}, "at least 0"),
    ],
)
def test_bad_arguments_leave_nothing(tmp_path, arguments, message):
    with pytest.raises(ValueError, match=message):
        write_dataset(tmp_path / "deep" / "dance", **arguments)
    assert not list(tmp_path.rglob("*.png"))
