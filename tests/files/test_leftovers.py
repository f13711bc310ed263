import os
import subprocess
import sys

from keras_cvae.files import leftovers, new_folder, remove_leftovers, written_whole


def names(folder):
    return sorted(path.name for path in folder.iterdir())


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
    leftovers._CLEANED.clear()
    os.utime(theirs, (0, 0))
    remove_leftovers(tmp_path)
    assert not theirs.exists()
