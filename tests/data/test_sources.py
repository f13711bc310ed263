import cv2
import numpy as np
import pytest

from keras_cvae.data.sources import has_split, load_videos, true_videos
from keras_cvae.data.synthetic import write_dataset


def test_a_folder_is_read(tmp_path):
    for n in range(3):
        for kind in ("img", "label"):
            path = tmp_path / f"val/val_{kind}/{n}.png"
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_bytes(cv2.imencode(".png", np.full((8, 16, 3), n, np.uint8))[1].tobytes())
    (video,) = load_videos(tmp_path, "val", frame_size=(4, 8), cache=tmp_path / "cache")
    assert video.frames.shape == (3, 4, 8, 3)
    assert len(list((tmp_path / "cache").iterdir())) == 1
    assert has_split(tmp_path, "val") and not has_split(tmp_path, "test")


def test_a_missing_folder_is_named(tmp_path):
    with pytest.raises(ValueError, match="absent does not exist"):
        load_videos(tmp_path / "absent", "train")


def test_a_video_file_is_no_data_folder(tmp_path):
    clip = tmp_path / "clip.mp4"
    clip.touch()
    for read in (lambda: has_split(clip, "val"), lambda: load_videos(clip, "train")):
        with pytest.raises(ValueError, match=r"clip\.mp4 is a file, .*ffmpeg -i .*clip\.mp4 "):
            read()


def test_built_in_data_need_no_cache(tmp_path):
    assert has_split("builtin", "test")
    with pytest.raises(ValueError, match="drawn, not decoded"):
        load_videos("builtin", "val", cache=tmp_path)


def test_videos_without_truth_are_left_out(tmp_path):
    lengths = {"train": [2], "val": [2], "test": [3, 4]}
    folder = write_dataset(tmp_path / "dance", (16, 16), frames=lengths)
    videos = true_videos(folder, "test", (16, 16))
    assert [len(v.frames) for v in videos] == [3, 4]
    (folder / "test" / "test_truth").rename(folder / "truth")
    assert true_videos(folder, "test", (16, 16)) == []
    (folder / "test").rename(folder / "other")
    assert true_videos(folder, "test", (16, 16)) == []
