import os
from pathlib import Path

import cv2
import numpy as np
import pytest

from keras_cvae.data.dance_folder import DanceFolder, read_split
from keras_cvae.errors import UserError

JUGGLE = Path(__file__).parents[2].parent / "shared/data/juggle"


def write(path, value, size=(4, 6)):
    path.parent.mkdir(parents=True, exist_ok=True)
    image = np.full((*size, 3), value, np.uint8)
    path.write_bytes(cv2.imencode(path.suffix, image)[1].tobytes())


def make_split(root, numbers, split="train"):
    """Frame n is of value n, its pose of value 100 + n."""
    for n in numbers:
        write(root / split / f"{split}_img" / f"{n}.png", n)
        write(root / split / f"{split}_label" / f"{n}.webp", 100 + n)
    return root


def values(images):
    return images[..., 0, 0, 0].tolist()


def test_frames_and_poses_in_numeric_order(tmp_path):
    (video,) = read_split(make_split(tmp_path, range(12)), "train")
    assert video.name == "train" and video.has_truth
    assert video.frames.shape == video.poses.shape == (12, 4, 6, 3)
    assert video.frames.dtype == np.uint8
    assert values(video.frames) == list(range(12))
    np.testing.assert_allclose(values(video.poses), range(100, 112), atol=2)  # WebP is lossy


def test_images_of_any_size_are_resized(tmp_path):
    make_split(tmp_path, range(2))
    for kind in ("img", "label"):
        write(tmp_path / f"train/train_{kind}/2.png", 2, size=(8, 12))
    (video,) = read_split(tmp_path, "train", frame_size=(2, 3))
    assert video.frames.shape == (3, 2, 3, 3)
    with pytest.raises(ValueError, match=r"0\.png is 4 x 6, .*2\.png 8 x 12"):
        read_split(tmp_path, "train")
    with pytest.raises(ValueError, match=r"frame_size must be .*both positive; got \(0, 3\)"):
        read_split(tmp_path, "train", frame_size=(0, 3))
    with pytest.raises(UserError, match="frame_size is 100000 x 100000 pixels"):
        read_split(tmp_path, "train", frame_size=(100_000, 100_000))


@pytest.mark.parametrize("cached", [False, True])
def test_a_pose_of_another_size_than_its_frame_is_named(tmp_path, cached):
    make_split(tmp_path / "data", range(3))
    write(tmp_path / "data/train/train_label/1.webp", 1, size=(6, 4))
    cache = tmp_path / "cache" if cached else None
    for _ in range(2):  # not only while the cache is being made
        with pytest.raises(ValueError, match=r"train_img/1\.png is 4 x 6, .*label/1\.webp 6 x"):
            read_split(tmp_path / "data", "train", frame_size=(4, 6), cache=cache)


def test_a_truncated_image_is_named(tmp_path):
    make_split(tmp_path, range(3))
    path = tmp_path / "train/train_label/2.webp"
    path.write_bytes(path.read_bytes()[:-3])
    with pytest.raises(ValueError, match=r"train_label/2\.webp: it is truncated"):
        read_split(tmp_path, "train")


def test_a_test_video_with_and_without_truth(tmp_path):
    for n in range(3):
        write(tmp_path / f"test/test_label/0/{n}.png", 100 + n)
    write(tmp_path / "test/test_img/0/0.png", 50)
    (video,) = read_split(tmp_path, "test")
    assert not video.has_truth
    assert (values(video.frames), values(video.poses)) == ([50], [100, 101, 102])
    with pytest.raises(ValueError, match="test_0 has 3 poses but only its first frame"):
        DanceFolder(tmp_path, "test", frame_size=None, clip_length=2, batch_size=1)

    for n in range(3):
        write(tmp_path / f"test/test_truth/0/{n}.png", 50 + n)
    (video,) = read_split(tmp_path, "test")
    assert video.has_truth and values(video.frames) == [50, 51, 52]


def test_a_test_pose_must_have_the_size_of_the_given_frame(tmp_path):
    write(tmp_path / "test/test_img/0/0.png", 50)
    write(tmp_path / "test/test_label/0/0.png", 100)
    write(tmp_path / "test/test_label/0/1.png", 100, size=(5, 6))
    with pytest.raises(ValueError, match=r"img/0/0\.png is 4 x 6, .*label/0/1\.png 5 x 6"):
        read_split(tmp_path, "test", frame_size=(4, 6))


def test_folders_as_tools_write_them(tmp_path):
    for n in range(1, 12):
        write(tmp_path / f"train/train_img/walk/frame_{n:06}.png", n)
        write(tmp_path / f"train/train_label/walk/clip_{n:012}_rendered.png", 100 + n)
        write(tmp_path / f"test/test_label/run_2/{n:05}.png", 100 + n)
        write(tmp_path / f"test/test_truth/run_2/out{n:05}.png", n)
    write(tmp_path / "test/test_img/run_2/first.png", 1)
    for split, name in (("train", "train_walk"), ("test", "test_run_2")):
        (video,) = read_split(tmp_path, split)
        assert video.name == name
        assert values(video.frames) == list(range(1, 12))
        assert values(video.poses) == list(range(101, 112))


@pytest.mark.parametrize("cached", [False, True])
def test_a_file_that_is_none_is_named(tmp_path, cached):
    make_split(tmp_path / "data", range(2))
    path = tmp_path / "data/train/train_img/2.png"
    write(tmp_path / "data/train/train_label/2.png", 1)
    path.symlink_to("absent")
    cache = tmp_path / "cache" if cached else None
    with pytest.raises(UserError, match=r"img/2\.png: (it is a link to a|No such) file"):
        read_split(tmp_path / "data", "train", cache=cache)
    path.unlink()
    os.mkfifo(path)
    with pytest.raises(UserError, match=r"img/2\.png is no regular file"):
        read_split(tmp_path / "data", "train", cache=cache)


@pytest.mark.parametrize("cached", [False, True])
def test_clips_cross_no_gap(tmp_path, cached):
    make_split(tmp_path / "data", [*range(10), *range(20, 33), *range(40, 43)])
    cache = tmp_path / "cache" if cached else None
    with pytest.warns(UserWarning) as caught:
        clips = DanceFolder(
            tmp_path / "data", frame_size=None, clip_length=4, batch_size=2, cache=cache
        )
    messages = [str(warning.message) for warning in caught]
    assert len(messages) == 2
    assert "train from 9 to 20, train from 32 to 40" in messages[0]
    assert "train_40-42 (3 frames)" in messages[1]
    assert clips.num_frames == 23 and clips.frame_size == (4, 6)
    for epoch in range(30):
        clips.epoch = epoch
        for (batch,) in clips:
            frames = batch["frames"][..., 0, 0, 0].astype(int)
            assert (np.diff(frames, axis=1) == 1).all()
            poses = batch["poses"][..., 0, 0, 0].astype(int)
            np.testing.assert_allclose(poses, frames + 100, atol=2)


def test_too_few_frames_name_the_split(tmp_path):
    make_split(tmp_path, range(5), split="val")
    with pytest.raises(ValueError, match=r"one clip of 16 frames: val \(5 frames\)"):
        DanceFolder(tmp_path, "val")


@pytest.mark.skipif(not JUGGLE.is_dir(), reason="the juggling video is not beside the checkout")
def test_a_real_folder():
    clips = DanceFolder(JUGGLE)
    assert (len(clips), clips.num_frames, clips.frame_size) == (1, 177, (32, 64))
    (batch,) = clips[0]
    assert batch["frames"].shape == (8, 16, 32, 64, 3)
    assert (batch["poses"] == 0).mean() > 0.8 and batch["poses"].max() > 200
    neighbours = np.abs(np.diff(batch["frames"].astype(int), axis=1)).mean()
    assert 0 < neighbours < 5  # consecutive frames of a fixed camera
    assert [len(video.frames) for video in read_split(JUGGLE, "val")] == [40]
    test = read_split(JUGGLE, "test")
    assert [(v.frames.shape, v.poses.shape) for v in test] == [
        ((1, 64, 128, 3), (15, 64, 128, 3))
    ] * 2
