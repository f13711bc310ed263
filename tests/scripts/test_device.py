"""The flag --device of scripts that compute with Keras: what they do with it before they begin."""

import dataclasses

import pytest
from script_checks import one_error, run_script

from keras_cvae import cli, runs
from keras_cvae.errors import UserError
from keras_cvae.training.config import TrainingConfig
from keras_cvae.training.resolve import resolve


@pytest.fixture
def asked(monkeypatch):
    """The devices that scripts ask for when they choose the backend, where they end."""
    devices = []

    def start_backend(preferred=None, device="auto"):
        devices.append(device)
        raise UserError("far enough")

    monkeypatch.setattr(cli, "start_backend", start_backend)
    return devices


@pytest.mark.parametrize(
    "command",
    [["train", "--out", "x"], ["compare", "--out", "x"], ["evaluate", "x.keras", "--out", "x"]],
    ids=lambda command: command[0],
)
def test_scripts_pass_the_device_on(asked, monkeypatch, tmp_path, command):
    monkeypatch.chdir(tmp_path)
    for flags in ([], ["--device", "cpu"]):
        assert one_error(run_script(*command, *flags)) == "error: far enough"
    assert asked == ["auto", "cpu"]


def test_a_run_goes_on_on_another_device(asked, tmp_path):
    """It is not a setting of the run."""
    assert "device" not in {field.name for field in dataclasses.fields(TrainingConfig)}
    runs.create_run(tmp_path / "run", dataclasses.asdict(resolve({"epochs": 2})))
    done = run_script("train", "--resume", tmp_path / "run", "--device", "gpu")
    assert one_error(done) == "error: far enough" and asked == ["gpu"]


def test_no_gpu_is_one_line_and_leaves_nothing(monkeypatch, tmp_path):
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr("keras_cvae.backend.gpus.gpu_count", lambda backend: 0)
    line = one_error(run_script("train", "--device", "gpu", "--out", "run"))
    assert line.startswith("error: --device gpu: ") and "sees no GPU" in line
    assert line.endswith("; or leave out --device.")
    assert not list(tmp_path.iterdir())
