import json
import os
import time

import numpy as np
import pytest

from keras_cvae.data.known_hashes import KnownHashes

HASHES = [f"{n:032x}" for n in range(4)]


@pytest.fixture
def file(tmp_path):
    np.save(tmp_path / "images.npy", np.arange(360, dtype=np.uint8).reshape(5, 4, 6, 3))
    return tmp_path / "images.npy"


def mapped(file, mode="r"):
    return np.asarray(np.memmap(file, np.uint8, mode, offset=128, shape=(5, 4, 6, 3)))


def parts(images):
    return [images[:2], images[2:], images[:2, :, ::-1], images[:2].reshape(2, 6, 4, 3)]


def remember(file):
    known = KnownHashes()
    for part, text in zip(parts(mapped(file)), HASHES, strict=True):
        assert known.get(part) is None
        known.add(part, text)
    known.store()
    return file.with_suffix(".hashes.json")


def found(file):
    known = KnownHashes()
    return [known.get(part) for part in parts(mapped(file))]


def test_each_part_has_its_own_hash(file):
    beside = remember(file)
    assert found(file) == HASHES
    assert sorted(file.parent.iterdir()) == sorted([file, beside])
    assert KnownHashes().get(mapped(file)) is None  # the whole is another part


@pytest.mark.parametrize("kept", [False, True])
def test_a_file_that_changed_has_no_known_hashes(file, kept):
    remember(file)
    stat, content = file.stat(), bytearray(file.read_bytes())
    time.sleep(0.05)  # the clock of some file systems has steps
    content[-1] ^= 1
    if kept:  # the same file, of the same length
        with open(file, "r+b") as opened:
            opened.write(content)
    else:
        file.with_name("other").write_bytes(content)
        os.replace(file.with_name("other"), file)
    os.utime(file, ns=(stat.st_atime_ns, stat.st_mtime_ns))  # even if its time is put back
    assert found(file) == [None] * 4


def test_a_change_before_they_are_stored_is_noticed(file):
    known = KnownHashes()
    part = mapped(file)[:2]
    known.get(part)
    os.utime(file, ns=(0, 0))
    known.add(part, HASHES[0])
    known.store()
    assert found(file) == [None] * 4


@pytest.mark.parametrize(
    "spoil",
    [
        lambda content: b"",
        lambda content: b"[]",
        lambda content: b'{"file": null}',
        lambda content: json.dumps({**content, "hashes": 3}).encode(),
        lambda content: json.dumps(
            {**content, "hashes": dict.fromkeys(content["hashes"], 3)}
        ).encode(),
        lambda content: json.dumps(
            {**content, "hashes": dict.fromkeys(content["hashes"], "x")}
        ).encode(),
    ],
)
def test_what_is_damaged_is_unknown_and_replaced(file, spoil):
    beside = remember(file)
    beside.write_bytes(spoil(json.loads(beside.read_text())))
    assert found(file) == [None] * 4
    remember(file)
    assert found(file) == HASHES


def test_only_what_is_mapped_for_reading_is_known(file):
    known = KnownHashes()
    for images in (np.zeros((2, 4, 6, 3), np.uint8), mapped(file, "r+"), mapped(file).copy()):
        assert known.get(images) is None
        known.add(images, HASHES[0])
        assert known.get(images) is None
    known.store()
    assert list(file.parent.iterdir()) == [file]


def test_a_cache_that_cannot_be_written_or_is_gone_is_no_error(file):
    known, images = KnownHashes(), mapped(file)
    assert known.get(images) is None
    known.add(images, HASHES[0])
    file.with_suffix(".hashes.json").mkdir()
    known.store()
    assert KnownHashes().get(images) is None
    file.unlink()
    gone = KnownHashes()
    assert gone.get(images) is None
    gone.add(images, HASHES[0])
    gone.store()
