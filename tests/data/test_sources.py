import cv2
import numpy as np
import pytest

from keras_cvae.data.sources import has_split, is_builtin, load_videos, true_videos
from keras_cvae.data.synthetic import builtin_videos, write_dataset


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


@pytest.mark.parametrize("data", ["builtin", "builtin-ball"])
def test_built_in_data_need_no_cache(tmp_path, data):
    assert has_split(data, "test")
    with pytest.raises(ValueError, match=f"data='{data}', which is drawn, not decoded"):
        load_videos(data, "val", cache=tmp_path)


def test_the_names_of_the_built_in_data(tmp_path):
    assert is_builtin("builtin") and is_builtin("builtin-ball")
    assert not any(map(is_builtin, (None, "builtin-", "./builtin", tmp_path / "builtin")))


@pytest.mark.parametrize("ball", [False, True])
def test_built_in_data_with_and_without_the_ball(ball):
    (video,) = load_videos("builtin-ball" if ball else "builtin", "val", (16, 32))
    (drawn,) = builtin_videos("val", (16, 32), ball=ball)
    np.testing.assert_array_equal(video.frames, drawn.frames)
    np.testing.assert_array_equal(video.poses, drawn.poses)


def test_videos_without_truth_are_left_out(tmp_path):
    lengths = {"train": [2], "val": [2], "test": [3, 4]}
    folder = write_dataset(tmp_path / "dance", (16, 16), frames=lengths)
    videos = true_videos(folder, "test", (16, 16))
    assert [len(v.frames) for v in videos] == [3, 4]
    (folder / "test" / "test_truth").rename(folder / "truth")
    assert true_videos(folder, "test", (16, 16)) == []
    (folder / "test").rename(folder / "other")
    assert true_videos(folder, "test", (16, 16)) == []
