import hashlib
import shutil
import subprocess
import zipfile
from pathlib import Path

import pytest

from keras_cvae.errors import UserError
from keras_cvae.files import cache_folder
from keras_cvae.poses import model_files as module
from keras_cvae.poses.model_files import DETECTOR, LANDMARKS, model_files


@pytest.fixture
def small(monkeypatch, tmp_path):
    """A cache folder, and models of a few bytes in a wheel that a download brings."""
    contents = {DETECTOR: b"detector", LANDMARKS: b"landmarks"}
    hashes = {name: hashlib.sha256(data).hexdigest() for name, data in contents.items()}
    monkeypatch.setattr(module, "SHA256", hashes)
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "cache"))
    with zipfile.ZipFile(tmp_path / "x.whl", "w") as wheel:
        for name, member in module._MEMBERS.items():
            wheel.writestr(member, contents[name])
    commands = []

    def download(command, **options):
        commands.append(command)
        shutil.copy(tmp_path / "x.whl", Path(command[command.index("--dest") + 1]) / "x.whl")
        return subprocess.CompletedProcess(command, 0, "", "")

    monkeypatch.setattr(subprocess, "run", download)
    return commands, contents


def test_they_are_downloaded_once_for_a_platform_that_has_them(small):
    commands, contents = small
    for _ in range(2):
        assert [path.read_bytes() for path in model_files()] == list(contents.values())
    (command,) = commands
    assert command[1:4] == ["-m", "pip", "download"] and command[-1] == "mediapipe==0.10.21"
    assert {"--no-deps", "--platform", "3.12"} <= set(command)


def test_a_damaged_cache_is_filled_again(small):
    commands, contents = small
    model_files()
    (cache_folder() / LANDMARKS).write_bytes(b"damaged")
    assert model_files()[1].read_bytes() == b"landmarks" and len(commands) == 2


def test_files_of_another_content_are_never_used(small, monkeypatch):
    monkeypatch.setattr(module, "SHA256", {**module.SHA256, LANDMARKS: "0" * 64})
    with pytest.raises(UserError, match="pose_landmark_full.tflite is damaged or another one"):
        model_files()


def test_a_failed_download_says_why_and_the_way_out(small, monkeypatch):
    failed = subprocess.CompletedProcess([], 1, "", "warning: x\nERROR: No matching distribution\n")
    monkeypatch.setattr(subprocess, "run", lambda *_, **__: failed)
    with pytest.raises(UserError, match="No matching distribution.*pip download.*another tool"):
        model_files()


def test_a_damaged_wheel_is_an_error(small, tmp_path):
    (tmp_path / "x.whl").write_bytes(b"no zip")
    with pytest.raises(UserError, match="could not be stored"):
        model_files()


def test_a_folder_of_ones_own(small, tmp_path):
    commands, contents = small
    with pytest.raises(UserError, match="pose_detection.tflite does not exist"):
        model_files(tmp_path)
    for name, data in contents.items():
        (tmp_path / name).write_bytes(data)
    assert model_files(tmp_path) == (tmp_path / DETECTOR, tmp_path / LANDMARKS)
    assert not commands
