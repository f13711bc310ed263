import shutil

import pytest
import script_checks

from keras_cvae.data.synthetic import write_dataset


@pytest.fixture(scope="session")
def data(tmp_path_factory):
    """A folder in the dance-lab layout: 20 frames to train, 7 to validate, 5 and 4 to test."""
    lengths = {"train": [20], "val": [7], "test": [5, 4]}
    folder = tmp_path_factory.mktemp("data") / "dance"
    return write_dataset(folder, script_checks.SIZE, seed=0, frames=lengths)


@pytest.fixture(scope="session")
def flags(data):
    """Flags of a run of some seconds, in which coin, noise and averaged weights matter."""
    return [
        *("--data", data, "--frame-size", *script_checks.SIZE, "--clip-length", 3),
        *("--batch-size", 2, "--epochs", 4, "--validate-every", 2, "--tfr", 0.5),
        *("--tfr-start-decay", 10, "--kl-anneal", "monotonic", "--kl-stop", 1, "--seed", 3),
        *("--lr", 2e-3, "--lr-schedule", "cosine"),
    ]


@pytest.fixture(scope="session")
def run(flags, tmp_path_factory):
    """A finished run of four epochs, trained in this process. No test may write into it."""
    folder = tmp_path_factory.mktemp("runs") / "run"
    with script_checks.no_pictures():
        done = script_checks.run_script("train", *flags, "--out", folder)
    assert done.code == 0, done
    folder.with_name("stdout").write_text(done.out)
    return folder


@pytest.fixture
def copy(run, tmp_path):
    """A copy of the finished run."""
    return shutil.copytree(run, tmp_path / "copy")


@pytest.fixture(autouse=True)
def _no_pictures():
    with script_checks.no_pictures():
        yield
