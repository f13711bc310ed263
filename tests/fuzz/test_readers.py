"""Whatever a foreign file holds, reading it gives a valid result or one clear error.

Never another exception, a hang of over ten seconds, more than a GiB, or a file elsewhere.
"""

import contextlib
import resource
import shutil
import signal
import warnings

import pytest
from readers import READERS, data_folder, harm_folder

from keras_cvae.data import read_split
from keras_cvae.data.dance_layout import SPLITS
from keras_cvae.errors import UserError

SECONDS, KIBIBYTES = 10, 2**20
CHEAP, DEAR = 200, 20
OFTEN, DEAR_OFTEN = 20, 10  # times as many with `slow`


@contextlib.contextmanager
def bounded(what):
    """Fails a block that takes too long or too much memory."""

    def late(signum, frame):
        raise AssertionError(f"{what} took over {SECONDS} s")

    before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    previous = signal.signal(signal.SIGALRM, late)
    signal.setitimer(signal.ITIMER_REAL, SECONDS)
    try:
        yield
    finally:
        signal.setitimer(signal.ITIMER_REAL, 0)
        signal.signal(signal.SIGALRM, previous)
    used = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - before
    assert used < KIBIBYTES, f"{what} took {used} KiB"


def outcome(read, path, what):
    """What a reader gives: `(True, result)`, or `(False, message)` of a clear error."""
    with warnings.catch_warnings(), bounded(what):
        warnings.simplefilter("ignore")
        try:
            return True, read(path)
        except UserError as error:
            message = str(error)
        except Exception as error:
            pytest.fail(f"{what}: {type(error).__name__}: {error}")
    assert message and "\n" not in message and len(message) < 2000, (what, message)
    return False, message


def everything(folder):
    return set(folder.rglob("*"))


def fuzz(name, folder, seeds):
    reader = READERS[name]
    inside = folder / "inside"
    inside.mkdir()
    path = reader.make(inside)
    good, expected = outcome(reader.read, path, f"{name} unharmed")
    assert good, expected
    victim = reader.victim(path)
    data, before = victim.read_bytes(), everything(folder)
    refused = 0
    for seed in seeds:
        victim.write_bytes(reader.mutate(data, seed))
        good, found = outcome(reader.read, path, f"{name}, seed {seed}")
        assert everything(folder) == before, f"{name}, seed {seed} wrote a file"
        refused += not good
        if good and reader.equal:
            assert (found == expected).all(), f"{name}, seed {seed}: a wrong result"
    assert refused > len(seeds) // 10, "the mutations do no harm"
    return refused


@pytest.mark.parametrize("name", READERS)
def test_a_mutated_file_is_read_right_or_refused(name, tmp_path):
    fuzz(name, tmp_path, range(CHEAP if READERS[name].cheap else DEAR))


@pytest.mark.slow
@pytest.mark.parametrize("name", READERS)
def test_thousands_of_mutated_files(name, tmp_path):
    count = CHEAP * OFTEN if READERS[name].cheap else DEAR * DEAR_OFTEN
    refused = fuzz(name, tmp_path, range(1000, 1000 + count))
    print(f"{name}: {count} mutations, {refused} refused")


def fuzz_folders(tmp_path, seeds):
    good = data_folder(tmp_path / "good")
    refused = 0
    for seed in seeds:
        folder = shutil.copytree(good, tmp_path / "harmed")
        with contextlib.suppress(OSError):  # names that a file system refuses
            harm_folder(folder, seed)
        before = everything(tmp_path)

        def read(folder):
            for split in SPLITS:
                for video in read_split(folder, split):
                    assert len(video.frames) in (1, len(video.poses)) and len(video.poses)

        refused += not outcome(read, folder, f"folder, seed {seed}")[0]
        assert everything(tmp_path) == before
        shutil.rmtree(folder)
    return refused


def test_a_harmed_folder_is_read_right_or_refused(tmp_path):
    assert 50 < fuzz_folders(tmp_path, range(CHEAP)) < CHEAP


@pytest.mark.slow
def test_thousands_of_harmed_folders(tmp_path):
    print(f"folders: 4000, {fuzz_folders(tmp_path, range(1000, 5000))} refused")
