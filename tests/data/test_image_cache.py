import errno
import hashlib
import json
import os

import cv2
import numpy as np
import pytest

from keras_cvae.data import image_cache
from keras_cvae.data.image_cache import load_images
from keras_cvae.errors import UserError


def write(path, value):
    path.write_bytes(cv2.imencode(".png", np.full((4, 6, 3), value, np.uint8))[1].tobytes())
    return path


@pytest.fixture
def folder(tmp_path):
    root = tmp_path / "data"
    root.mkdir()
    return [write(root / f"{n}.png", 10 * n) for n in range(5)]


@pytest.fixture
def decoded(monkeypatch):
    """Counts the images that were decoded."""
    counts = []
    original = image_cache.read_images

    def counting(paths, *args, **kwargs):
        counts.append(len(paths))
        return original(paths, *args, **kwargs)

    monkeypatch.setattr(image_cache, "read_images", counting)
    return counts


def load(paths, cache, frame_size=None, check=lambda sizes: None):
    return load_images(paths, paths[0].parent, frame_size, cache, check, "reading")


def test_the_second_reading_decodes_nothing(folder, tmp_path, decoded):
    first = load(folder, tmp_path / "cache")
    second = load(folder, tmp_path / "cache")
    assert decoded == [5]
    np.testing.assert_array_equal(first, load(folder, None))
    np.testing.assert_array_equal(first, second)
    assert isinstance(second.base, np.memmap) and not second.flags.writeable


def test_a_moved_folder_keeps_its_cache_and_another_size_has_its_own(folder, tmp_path, decoded):
    load(folder, tmp_path / "cache")
    moved = folder[0].parent.rename(tmp_path / "moved")
    load([moved / path.name for path in folder], tmp_path / "cache")
    assert decoded == [5]
    assert load(sorted(moved.iterdir()), tmp_path / "cache", (2, 3)).shape == (5, 2, 3, 3)
    assert decoded == [5, 5]


def test_any_change_of_the_folder_is_noticed(folder, tmp_path, decoded):
    load(folder, tmp_path / "cache")
    folder.append(write(folder[0].with_name("5.png"), 50))
    assert load(folder, tmp_path / "cache")[:, 0, 0, 0].tolist() == [0, 10, 20, 30, 40, 50]

    folder.pop(1).unlink()
    assert load(folder, tmp_path / "cache")[:, 0, 0, 0].tolist() == [0, 20, 30, 40, 50]

    stat = folder[2].stat()
    write(folder[2], 31)  # as many bytes as before; only the time tells
    assert folder[2].stat().st_size == stat.st_size
    os.utime(folder[2], ns=(stat.st_atime_ns, stat.st_mtime_ns + 1))
    assert load(folder, tmp_path / "cache")[:, 0, 0, 0].tolist() == [0, 20, 31, 40, 50]
    assert decoded == [5, 6, 5, 5]


def test_a_failed_reading_leaves_nothing_behind(folder, tmp_path):
    def check(sizes):
        raise ValueError(f"sizes {sizes[0]}")

    with pytest.raises(ValueError, match=r"sizes \(4, 6\)"):
        load(folder, tmp_path / "cache", (2, 3), check)
    folder[3].write_bytes(b"")
    with pytest.raises(ValueError, match=r"3\.png: it is empty"):
        load(folder, tmp_path / "cache")
    assert list((tmp_path / "cache").iterdir()) == []


@pytest.mark.parametrize(
    "spoil",
    [
        lambda data: b"",
        lambda data: data[:50],
        lambda data: data[:-10],
        lambda data: data + b"0",
        lambda data: b"x" + data[1:],
        lambda data: data.replace(b"(5, 4, 6, 3)", b"(6, 4, 5, 3)"),
        lambda data: data.replace(b"|u1", b"|O1"),
    ],
)
def test_a_spoilt_cache_file_is_replaced(folder, tmp_path, decoded, spoil):
    load(folder, tmp_path / "cache")
    (file,) = (tmp_path / "cache").iterdir()
    file.write_bytes(spoil(file.read_bytes()))
    np.testing.assert_array_equal(load(folder, tmp_path / "cache"), load(folder, None))
    load(folder, tmp_path / "cache")
    assert decoded == [5, 5, 5]  # the first time, again, and without a cache
    assert list((tmp_path / "cache").iterdir()) == [file]
    np.testing.assert_array_equal(np.load(file), load(folder, None))


def test_a_cache_that_cannot_be_written_is_named(folder, tmp_path, monkeypatch):
    (tmp_path / "cache").touch()
    with pytest.raises(UserError, match=r"cache/.*\.npy could not be written or read: .*Give"):
        load(folder, tmp_path / "cache")
    load(folder, tmp_path / "other")
    (file,) = (tmp_path / "other").iterdir()
    file.unlink()
    file.mkdir()
    with pytest.raises(UserError, match="could not be written or read"):
        load(folder, tmp_path / "other")

    def full(*_):
        raise OSError(errno.ENOSPC, "No space left on device")

    monkeypatch.setattr(os, "posix_fallocate", full)
    with pytest.raises(UserError, match="No space left on device"):
        load(folder, tmp_path / "third")
    assert list((tmp_path / "third").iterdir()) == []


def test_the_name_of_a_cache_file_stays_that_of_earlier_versions(folder, tmp_path, monkeypatch):
    monkeypatch.setattr(image_cache, "_AT_ONCE", 2)  # less than there are images
    root, texts = folder[0].parent.parent, [str(path) for path in folder]
    load_images(texts, root, (2, 3), tmp_path / "cache", lambda sizes: None, "reading")
    stats = [path.stat() for path in folder]
    files = [(f"data/{n}.png", s.st_size, s.st_mtime_ns) for n, s in enumerate(stats)]
    whole = json.dumps([2, (2, 3), files]).encode()
    (file,) = (tmp_path / "cache").iterdir()
    assert file.name == f"{hashlib.sha256(whole).hexdigest()[:24]}.npy"
