"""The event files hold the epochs' numbers and pictures."""

import struct
import sys

import numpy as np
import pytest

from keras_cvae.callbacks import TensorBoardLogs, ValidationPSNR

pytest.importorskip("tensorboardX", reason="tensorboardX is not installed")


def events(folder):
    """The events of the only file in a folder; see TFRecord: length, checksum, data, checksum."""
    from tensorboardX.proto.event_pb2 import Event

    (path,) = folder.iterdir()
    content, found = path.read_bytes(), []
    while content:
        (length,) = struct.unpack("<Q", content[:8])
        found.append(Event.FromString(content[12 : 12 + length]))
        content = content[16 + length :]
    return found


def test_numbers_and_pictures_by_epoch(model, clips, val_videos, tmp_path):
    logs = TensorBoardLogs(tmp_path / "logs", val_videos, every=2)
    validation = ValidationPSNR(val_videos, every=2)
    history = model.fit(clips, epochs=3, verbose=0, callbacks=[validation, logs]).history
    numbers, pictures = {}, []
    for event in events(tmp_path / "logs"):
        for value in event.summary.value:
            if value.HasField("image"):
                pictures.append((event.step, value.image.height, value.image.width))
            else:
                numbers.setdefault(value.tag, []).append((event.step, value.simple_value))
    assert numbers["loss"] == [
        (step, pytest.approx(loss)) for step, loss in enumerate(history["loss"], start=1)
    ]
    assert [step for step, _ in numbers["val_psnr"]] == [2, 3]
    assert [step for step, _, _ in pictures] == [2, 3]  # the last epoch's too
    assert all(height > 16 and width >= 4 * 16 for _, height, width in pictures)


def test_values_that_are_no_numbers_are_left_out(tmp_path):
    logs = TensorBoardLogs(tmp_path / "logs")
    logs.on_train_begin()
    logs.on_epoch_end(0, {"loss": np.nan, "mse": 1.0})
    logs.on_train_end()
    tags = [value.tag for event in events(tmp_path / "logs") for value in event.summary.value]
    assert tags == ["mse"]


def test_wrong_arguments_and_the_missing_package_are_errors(tmp_path, monkeypatch):
    with pytest.raises(ValueError, match="at least 1"):
        TensorBoardLogs(tmp_path, every=0)
    monkeypatch.setitem(sys.modules, "tensorboardX", None)
    with pytest.raises(ValueError, match="pip install 'keras_cvae\\[tensorboard\\]'"):
        TensorBoardLogs(tmp_path)
