"""The ablations of the example run, each variant as another model than the recommended one."""

import csv
import importlib.util
import sys

import keras
import pytest
from checks import TESTS

from keras_cvae.data.synthetic import builtin_videos

pytestmark = pytest.mark.skipif(keras.backend.backend() != "torch", reason="the example uses torch")
SOME = ["group norm", "two blocks instead of one", "first frame as context"]
SOME += ["residual to the previous frame", "noise on the fed-back frame", "mirrored at random"]
SOME += ["z zero in half of the frames"]


@pytest.fixture(scope="module")
def ablations():
    examples = TESTS.parent / "examples"
    spec = importlib.util.spec_from_file_location("ablations", examples / "ablations.py")
    module = importlib.util.module_from_spec(spec)
    with pytest.MonkeyPatch.context() as patch:
        patch.syspath_prepend(examples)  # as when it is run as a script
        spec.loader.exec_module(module)
    return module


def test_variants_train_and_leave_a_row_each(ablations, tmp_path, monkeypatch, capsys):
    def videos(data, split, frame_size, cache=None):
        return builtin_videos(split, frame_size=(16, 32), frames=70 if split == "train" else 20)

    monkeypatch.setattr(ablations, "load_videos", videos)
    # The number of threads changes the last digits of every test that comes after.
    monkeypatch.setattr(ablations.torch, "set_num_threads", lambda threads: None)
    path = tmp_path / "rows.csv"
    arguments = ["--minutes", "0.001", "--csv", str(path), "--only", "recommended", *SOME]
    monkeypatch.setattr(sys, "argv", ["ablations.py", *arguments])
    ablations.main()
    assert "| recommended | 808878 |" in capsys.readouterr().out
    with open(path) as file:
        rows = list(csv.DictReader(file))
    assert [row["variant"] for row in rows] == ["recommended", *SOME]
    assert len({row["psnr"] for row in rows}) == len(rows)  # no variant does nothing
