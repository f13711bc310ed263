import errno
import os
import threading

import pytest

from keras_cvae.files import new_folder, written_whole


def names(folder):
    return sorted(path.name for path in folder.iterdir())


def test_the_file_appears_when_it_is_complete(tmp_path):
    path = tmp_path / "a.keras"
    with written_whole(path) as partial:
        assert partial.parent == tmp_path and partial.suffix == ".keras"
        assert partial.name.startswith(".")
        partial.write_text("new")
        assert not path.exists()
    assert path.read_text() == "new" and names(tmp_path) == ["a.keras"]


def test_an_old_file_stays_until_the_new_one_is_complete(tmp_path):
    path = tmp_path / "a.csv"
    path.write_text("old")
    with written_whole(str(path)) as partial:
        partial.write_text("new")
        assert path.read_text() == "old"
    assert path.read_text() == "new"


@pytest.mark.parametrize("error", [ValueError, KeyboardInterrupt])
def test_after_an_error_all_is_as_before(tmp_path, error):
    path = tmp_path / "a.csv"
    path.write_text("old")
    with pytest.raises(error), written_whole(path) as partial:
        partial.write_text("half")
        raise error
    assert path.read_text() == "old" and names(tmp_path) == ["a.csv"]


def test_a_block_that_writes_nothing_is_an_error_and_keeps_the_old_file(tmp_path):
    path = tmp_path / "a.csv"
    path.write_text("old")
    with pytest.raises(FileNotFoundError), written_whole(path):
        pass
    assert path.read_text() == "old" and names(tmp_path) == ["a.csv"]


def test_it_can_be_nested(tmp_path):
    path = tmp_path / "a.keras"
    with written_whole(path) as outer, written_whole(outer) as inner:
        inner.write_text("text")
    assert path.read_text() == "text" and names(tmp_path) == ["a.keras"]


def test_a_reader_never_sees_half_a_file(tmp_path):
    path, seen = tmp_path / "a.txt", set()
    path.write_text("0" * 100_000)
    done = threading.Event()

    def read():
        while not done.is_set():
            seen.add((len(text := path.read_text()), len(set(text))))

    reader = threading.Thread(target=read)
    reader.start()
    for digit in range(50):
        with written_whole(path) as partial, open(partial, "w") as file:
            for _ in range(100):
                file.write(str(digit % 10) * 1000)
                file.flush()
    done.set()
    reader.join()
    assert seen == {(100_000, 1)}


def test_files_get_the_usual_permissions(tmp_path):
    with written_whole(tmp_path / "a.txt") as partial:
        partial.write_text("text")
    (tmp_path / "b.txt").write_text("text")
    assert os.stat(tmp_path / "a.txt").st_mode == os.stat(tmp_path / "b.txt").st_mode


@pytest.mark.parametrize("write", [written_whole, new_folder])
def test_a_full_disk_names_the_file(tmp_path, write):
    full_disk = pytest.raises(OSError, match=r"No space left on device: .*results")
    with full_disk as caught, write(tmp_path / "results"), open("/dev/full", "w") as full:
        full.write("text")
    assert caught.value.errno == errno.ENOSPC and not names(tmp_path)
