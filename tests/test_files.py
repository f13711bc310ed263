import errno
import os
import subprocess
import sys
import threading
import zipfile

import pytest

from keras_cvae import files
from keras_cvae.errors import UserError
from keras_cvae.files import check_archive, new_folder, read_json, remove_leftovers, written_whole


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


LEAVE = """
import os, signal, sys
from keras_cvae import files
with files.new_folder(sys.argv[1] + "/results") as folder:
    (folder / "a.csv").write_text("half")
    with files.written_whole(sys.argv[1] + "/a.keras") as partial:
        partial.write_text("half")
        if sys.argv[2] == "die":
            os.kill(os.getpid(), signal.SIGKILL)
        print("writing", flush=True)
        sys.stdin.read()
"""


def leave(folder, how):
    return subprocess.Popen(
        [sys.executable, "-c", LEAVE, folder, how],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
    )


def test_leftovers_of_a_killed_process_are_removed_and_block_nothing(tmp_path):
    leave(tmp_path, "die").wait()
    assert len(names(tmp_path)) == 2 and all(".partial" in name for name in names(tmp_path))
    with new_folder(tmp_path / "results") as folder:
        assert names(tmp_path) == [folder.name]
    assert names(tmp_path) == ["results"]


def test_what_a_living_process_writes_stays(tmp_path):
    living = leave(tmp_path, "wait")
    assert living.stdout.readline() == "writing\n"
    before = names(tmp_path)
    with written_whole(tmp_path / "b.txt") as partial:
        partial.write_text("b")
    assert names(tmp_path) == sorted([*before, "b.txt"]) and len(before) == 2
    living.communicate("")
    assert names(tmp_path) == ["a.keras", "b.txt", "results"]


def test_what_another_machine_writes_stays_for_a_day(tmp_path):
    theirs = tmp_path / ".a.elsewhere-12.partial.keras"
    theirs.write_text("half")
    remove_leftovers(tmp_path)
    assert theirs.exists()
    files._CLEANED.clear()
    os.utime(theirs, (0, 0))
    remove_leftovers(tmp_path)
    assert not theirs.exists()


@pytest.mark.parametrize("write", [written_whole, new_folder])
def test_a_full_disk_names_the_file(tmp_path, write):
    full_disk = pytest.raises(OSError, match=r"No space left on device: .*results")
    with full_disk as caught, write(tmp_path / "results"), open("/dev/full", "w") as full:
        full.write("text")
    assert caught.value.errno == errno.ENOSPC and not names(tmp_path)


def test_an_archive_that_claims_too_much_is_not_unpacked(tmp_path, monkeypatch):
    path = tmp_path / "bomb.zip"
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr("zeros", bytes(10**6))
    check_archive(path)
    monkeypatch.setenv("KERAS_CVAE_MAX_MODEL_BYTES", "1000")
    with pytest.raises(UserError, match="to 1000000 bytes, more than the bound of 1000"):
        check_archive(path)
    monkeypatch.setenv("KERAS_CVAE_MAX_MODEL_BYTES", "much")
    with pytest.raises(UserError, match="must be a positive integer; got 'much'"):
        check_archive(path)


@pytest.mark.parametrize("text", [b"", b"{", b"\xff", b"[" * 10**5, b'"' + b"x" * 100])
def test_what_is_no_json_is_one_clear_error(tmp_path, text):
    (tmp_path / "a.json").write_bytes(text)
    with pytest.raises(UserError, match=r"The results .*a\.json could not be read"):
        read_json(tmp_path / "a.json", "The results")


def test_a_pipe_is_no_file(tmp_path):
    os.mkfifo(tmp_path / "a.json")
    with pytest.raises(UserError, match="no regular file"):
        read_json(tmp_path / "a.json", "The results")
