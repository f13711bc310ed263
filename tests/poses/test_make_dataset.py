import json

import numpy as np
import pytest
from bodies import dance

from keras_cvae.data import load_videos
from keras_cvae.data.decoding import read_image
from keras_cvae.data.joints import read_info, read_joints
from keras_cvae.data.skeleton import draw_skeleton
from keras_cvae.data.synthetic import render_video
from keras_cvae.errors import UserError
from keras_cvae.poses.make_dataset import _names, make_dataset
from keras_cvae.poses.source import Source
from keras_cvae.video import write_video

SIZE = (64, 128)
LENGTH = 100


@pytest.fixture(scope="module")
def filmed(tmp_path_factory):
    """Images of the dancer, and keypoints with a gap after 40 frames."""
    folder = tmp_path_factory.mktemp("filmed")
    write_video(folder / "me", render_video(5, LENGTH, SIZE).frames)
    joints = dance(LENGTH, SIZE)
    joints[40:50] = np.nan
    np.savez(folder / "me.npz", joints=joints)
    return folder


@pytest.fixture(scope="module")
def made(filmed):
    with pytest.warns(UserWarning, match="segments|only 3 s of video"):
        info = make_dataset(filmed / "data", [filmed / "me"], [filmed / "me.npz"])
    return filmed / "data", info


def test_the_folder_is_a_data_folder_with_truth(made):
    root, info = made
    size = read_info(root)["frame_size"]
    videos = {split: load_videos(root, split, None) for split in ("train", "val", "test")}
    assert {split: sum(len(v.frames) for v in each) for split, each in videos.items()} == {
        "train": 72, "val": 9, "test": 9,
    } == info["frames"]  # fmt: skip
    assert all(video.has_truth for each in videos.values() for video in each)
    assert videos["train"][0].frames.shape[1:3] == size
    assert len(videos["train"]) == 2  # the gap divides it; no frame of it is there


def test_frames_poses_and_joints_belong_together(made):
    root, info = made
    stored = read_joints(root / "joints.npz")
    window = info["videos"][0]["window"]
    scale = info["frame_size"][0] / window["height"]
    for split, kind in (("train", "img"), ("val", "img"), ("test", "truth")):
        for folder, numbers in stored.of_split(split).items():
            for number, joints in list(numbers.items())[::5]:
                pose = read_image(root / split / f"{split}_label" / folder / f"{number}.png")
                drawn = draw_skeleton(joints, pose.shape[:2]).astype(int)
                assert np.abs(drawn - pose).mean() < 1
                truth = dance(LENGTH, SIZE)[number]
                back = joints / scale + [window["left"], window["top"]]
                assert np.abs(back - truth).max() < 1.5  # of 64 pixels; smoothed
                assert (root / split / f"{split}_{kind}" / folder / f"{number}.png").exists()


def test_the_description_and_the_picture(made):
    root, info = made
    assert json.loads((root / "dataset.json").read_text()) == json.loads(json.dumps(info))
    (video,) = info["videos"]
    assert video["file"] == "me" and video["segments"] == [[0, 40], [50, 100]]
    assert video["found"] == 0.9 and video["jitter"] < 0.03 and info["fps"] == 30
    assert info["limb_lengths"]["left_knee to left_ankle"] > 0
    assert "numpy" in info["versions"]
    assert read_image(root / "preview.png").shape[0] == 2 * 192


def test_several_videos_share_a_window_and_divide_each_in_time(filmed):
    np.save(filmed / "b.npy", dance(LENGTH, SIZE))
    videos, keypoints = [filmed / "me"] * 2, [filmed / "b.npy", filmed / "b.npy"]
    with pytest.warns(UserWarning, match="only 7 s"):
        info = make_dataset(filmed / "two", videos, keypoints, frame_size=(32, 64), fps=30)
    assert info["videos"][0]["window"] == info["videos"][1]["window"]
    assert [video.name for video in load_videos(filmed / "two", "train")] == [
        "train_0_me", "train_1_me",
    ]  # fmt: skip
    assert info["frames"] == {"train": 160, "val": 20, "test": 20}


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ({"keypoints": ["a", "b"]}, "2 keypoint files for 1 videos"),
        ({"person": "middle"}, "largest, left, right"),
        ({"frame_size": (0, 3)}, "both positive"),
        ({"limit": 15}, "nowhere with shoulders and hips for 16 frames"),
        ({"start": 9.0}, "no frame between 9 s and its end"),
    ],
)
def test_what_cannot_work_leaves_nothing(filmed, tmp_path, arguments, message):
    given = {"keypoints": [filmed / "me.npz"], **arguments}
    with pytest.raises(UserError, match=message):
        make_dataset(tmp_path / "data", [filmed / "me"], **given)
    assert not list(tmp_path.iterdir())


def test_what_exists_is_never_overwritten(made, filmed):
    with pytest.raises(UserError, match="exists"):
        make_dataset(made[0], [filmed / "me"], [filmed / "me.npz"])


def test_names_of_videos_are_different_for_every_reader(tmp_path):
    def names(*files):
        return _names([Source(tmp_path / file, None, 30) for file in files])

    assert names("me.mp4", "a b!.mov", ".hid.mp4") == ["me", "a_b", "hid"]
    assert names("x.mp4", "a.mp4", "1_a.mp4", "a.mov") == ["0_x", "1_a", "2_1_a", "3_a"]
    assert names("01.mp4", "1.mp4") == ["0_01", "1_1"]
    assert names("Me.mp4", "me.mov") == ["0_Me", "1_me"]
    assert names("...") == ["video"]
