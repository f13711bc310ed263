import numpy as np
import pytest

from keras_cvae.data import Video
from keras_cvae.data import fingerprint as module
from keras_cvae.data.fingerprint import differences, fingerprint


def video(name="walk", frames=5, seed=0):
    rng = np.random.default_rng(seed)
    images = rng.integers(0, 256, (2, frames, 8, 16, 3), dtype=np.uint8)
    return Video(name, *images)


def prints(*videos):
    return {"train": fingerprint(videos)}


def changed(kind, at):
    images = {"frames": video().frames.copy(), "poses": video().poses.copy()}
    images[kind][at] ^= 1
    return Video("walk", **images)


def test_the_same_data_have_no_differences():
    assert differences(prints(video()), prints(video())) == []
    mapped = video().frames.copy()
    assert fingerprint([Video("walk", mapped, video().poses)]) == fingerprint([video()])


@pytest.mark.parametrize(
    ("now", "text"),
    [
        ([], "walk of train is gone"),
        ([video(), video("run")], "run of train is new"),
        ([video(frames=6)], "walk of train has 6 frames and had 5"),
        ([video(seed=1)], "frames of walk of train have other contents"),
        ([changed("frames", (4, 7, 15, 2))], "frames of walk of train have other contents"),
        ([changed("poses", (0, 0, 0, 0))], "poses of walk of train have other contents"),
    ],
    ids=str,
)
def test_each_difference_is_named(now, text):
    assert text in differences(prints(video()), prints(*now))


def test_another_shape_of_the_same_bytes_differs():
    turned = Video("walk", video().frames.reshape(5, 16, 8, 3), video().poses)
    assert differences(prints(video()), prints(turned))


@pytest.mark.parametrize("stored", [None, [], {"train": 3}, {"train": {"walk": 3}}, {"train": {}}])
def test_a_stored_fingerprint_that_is_none_differs(stored):
    assert differences(stored, prints(video()))


def test_a_cache_file_is_read_once(tmp_path, monkeypatch):
    images = np.concatenate([video().frames, video().poses])
    images.tofile(tmp_path / "images.npy")
    mapped = np.asarray(np.memmap(tmp_path / "images.npy", np.uint8, "r", shape=images.shape))
    first = fingerprint([Video("walk", mapped[:5], mapped[5:])])
    assert first == fingerprint([video()])
    monkeypatch.setattr(module, "_hash", None)
    assert fingerprint([Video("walk", mapped[:5], mapped[5:])]) == first
