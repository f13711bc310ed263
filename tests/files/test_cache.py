import sys
from pathlib import Path

import pytest

from keras_cvae.errors import UserError
from keras_cvae.files import cache_folder


def test_the_variable_of_the_desktop_names_it(monkeypatch, tmp_path):
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path))
    assert cache_folder() == tmp_path / "keras_cvae"


@pytest.mark.parametrize(
    "platform, place",
    [("linux", ".cache"), ("darwin", "Library/Caches"), ("win32", "AppData/Local")],
)
def test_else_it_is_that_of_the_system(monkeypatch, tmp_path, platform, place):
    monkeypatch.delenv("XDG_CACHE_HOME", raising=False)
    monkeypatch.setattr(Path, "home", lambda: tmp_path)
    monkeypatch.setattr(sys, "platform", platform)
    monkeypatch.setenv("LOCALAPPDATA", str(tmp_path / "AppData" / "Local"))
    assert cache_folder().is_relative_to(tmp_path / place / "keras_cvae")


def test_a_user_without_a_home_is_told_what_to_set(monkeypatch):
    def no_home():
        raise RuntimeError("Could not determine home directory.")

    monkeypatch.delenv("XDG_CACHE_HOME", raising=False)
    monkeypatch.setattr(Path, "home", no_home)
    with pytest.raises(UserError, match="no home folder. Set the environment variable XDG_CACHE"):
        cache_folder()
