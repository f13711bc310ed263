"""What the tests of checkpoints share."""

import pytest
from published_checks import GOLDEN_CHECKPOINT


@pytest.fixture(scope="module")
def checkpoint():
    torch = pytest.importorskip("torch")
    return torch.load(GOLDEN_CHECKPOINT, weights_only=True)


@pytest.fixture
def saved(tmp_path):
    """A function that saves an object with torch and gives the path."""

    torch = pytest.importorskip("torch")

    def save(content, **options):
        path = tmp_path / "saved.ckpt"
        torch.save(content, path, **options)
        return path

    return save
