"""What a data folder says; `resolve` is given a folder here, too."""

import dataclasses
import json
import shutil
import warnings

import pytest

from keras_cvae.data.synthetic import write_dataset
from keras_cvae.errors import UserError
from keras_cvae.training.folder import settings_of_folder
from keras_cvae.training.length import chosen_length
from keras_cvae.training.resolve import resolve

pytestmark = pytest.mark.usefixtures("rules")


@pytest.fixture(scope="module")
def data(tmp_path_factory):
    lengths = {"train": [40, 10, 24], "val": [3], "test": [2]}
    return write_dataset(tmp_path_factory.mktemp("data") / "dance", (16, 24), frames=lengths)


@pytest.fixture
def copy(data, tmp_path):
    return shutil.copytree(data, tmp_path / "dance")


def numbers(config):
    return config.batch_size, config.epochs


def test_batch_and_epochs_follow_from_the_frames(copy, capsys):
    for path in (copy / "train").rglob("*.png"):
        path.write_bytes(b"")  # no image is opened
    config = resolve({"data": str(copy)})
    assert numbers(config) == chosen_length(64, 16)  # 10 frames are no clip
    assert config.schedule_epochs == config.epochs and config.mirror is False
    out = capsys.readouterr().out
    assert out == f"64 training frames: batches of 2, {config.epochs} epochs\n"


@pytest.mark.parametrize(
    ("given", "used"),
    [
        ({"clip_length": 8}, (74, 8)),
        ({"partial": 0.5}, (37, 16)),  # all of the first video
        ({"stride": 4}, (64, 16, 4)),
        ({"accumulate": 4}, (64, 16, None, 4)),
    ],
)
def test_other_settings_count(data, given, used):
    assert numbers(resolve({"data": str(data), **given})) == chosen_length(*used)


def test_what_is_given_stays(data, capsys):
    config = resolve({"data": str(data), "epochs": 3})
    assert numbers(config) == (2, 3)
    config = resolve({"data": str(data), "batch_size": 1})
    assert numbers(config) == chosen_length(64, 16, batch_size=1)
    capsys.readouterr()
    assert numbers(resolve({"data": str(data), "batch_size": 1, "epochs": 3})) == (1, 3)
    assert not capsys.readouterr().out  # nothing was chosen
    assert numbers(resolve({"data": str(data), "minutes": 3.0}))[0] == 2
    assert capsys.readouterr().out == "64 training frames: batches of 2\n"


def test_validations_are_about_as_many_as_in_the_recipe(data):
    config = resolve({"data": str(data)})
    assert config.epochs > 100 and 7 <= config.epochs / config.validate_every <= 9
    assert resolve({"data": str(data), "validate_every": 3}).validate_every == 3
    assert resolve({"data": str(data), "epochs": 4}).validate_every == 2


def test_the_published_recipe_is_unchanged(data):
    config = resolve({"data": str(data), "recipe": "published"})
    assert (*numbers(config), config.validate_every, config.mirror) == (2, 70, 1, False)
    assert config.frame_size == (16, 24)


def test_the_built_in_data_are_unchanged():
    config = resolve({})
    assert (*numbers(config), config.validate_every, config.mirror) == (4, 16, 2, False)
    assert resolve({"epochs": 200}).validate_every == 2


def test_the_frame_size_is_the_folders(data, copy):
    assert resolve({"data": str(data)}).frame_size == (16, 24)
    assert resolve({"data": str(data), "frame_size": [8, 8]}).frame_size == (8, 8)
    (copy / "dataset.json").unlink()
    assert resolve({"data": str(copy)}).frame_size == (32, 64)
    (copy / "dataset.json").write_text('{"frame_size": [16]}')
    with pytest.raises(UserError, match="frame_size must be"):
        resolve({"data": str(copy)})
    assert resolve({"data": str(copy), "frame_size": [8, 8]}).frame_size == (8, 8)


def test_mirrored_clips_count_twice(data, copy, capsys, monkeypatch):
    config = resolve({"data": str(data), "mirror": True})
    assert numbers(config) == chosen_length(64, 16, mirrored=True)
    assert config.mirror is True and config.epochs < resolve({"data": str(data)}).epochs
    assert "64 training frames, each also mirrored: batches of 2" in capsys.readouterr().out
    (copy / "joints.npz").unlink()  # half of the clips are flipped then
    config = resolve({"data": str(copy), "mirror": True})
    assert numbers(config) == chosen_length(64, 16) and config.mirror is True


def test_a_stored_run_is_not_counted_again(copy, capsys):
    config = resolve({"data": str(copy)})
    stored = json.loads(json.dumps(dataclasses.asdict(config)))
    shutil.rmtree(copy / "train")
    (copy / "dataset.json").write_text("{")
    capsys.readouterr()
    assert resolve(stored) == config
    assert resolve({**stored, "epochs": 500}).batch_size == config.batch_size
    assert not capsys.readouterr().out


def test_gaps_are_not_warned_of_here(copy):
    for kind in ("img", "label"):
        (copy / "train" / f"train_{kind}" / "0" / "20.png").unlink()
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        config = resolve({"data": str(copy)})
    assert numbers(config) == chosen_length(20 + 19 + 24, 16)


@pytest.mark.parametrize(
    "given",
    [
        {"data": "absent"},
        {"partial": 0.0},
        {"clip_length": 0},
        {"stride": 0},
        {"batch_size": 0},
        {"clip_length": 500},
    ],
    ids=str,
)
def test_what_cannot_be_counted_leaves_the_defaults_and_the_error_to_the_reader(
    data, capsys, given
):
    config = resolve({"data": str(data), **given})
    assert numbers(config) == (given.get("batch_size", 4), 16) and config.mirror is False
    assert not capsys.readouterr().out


def test_a_damaged_folder_leaves_the_defaults(copy):
    shutil.rmtree(copy / "train" / "train_label")
    assert numbers(resolve({"data": str(copy)})) == (4, 16)


def test_only_what_is_open_is_returned(data):
    values = {"recipe": "recommended", "data": str(data), "mirror": False, "clip_length": 16}
    values |= {"stride": None, "accumulate": 1, "partial": 1.0, "batch_size": 4}
    given = {"frame_size": (8, 8), "batch_size": 4, "epochs": 1}
    assert settings_of_folder({**values, **given}, given) == {}
