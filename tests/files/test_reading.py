import os
import zipfile

import pytest

from keras_cvae.errors import UserError
from keras_cvae.files import check_archive, read_json


def test_an_archive_that_claims_too_much_is_not_unpacked(tmp_path, monkeypatch):
    path = tmp_path / "bomb.zip"
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr("zeros", bytes(10**6))
    check_archive(path)
    monkeypatch.setenv("KERAS_CVAE_MAX_MODEL_BYTES", "1000")
    with pytest.raises(UserError, match="to 1000000 bytes, more than the bound of 1000"):
        check_archive(path)
    monkeypatch.setenv("KERAS_CVAE_MAX_MODEL_BYTES", "much")
    with pytest.raises(UserError, match="must be a positive integer; got 'much'"):
        check_archive(path)


@pytest.mark.parametrize("text", [b"", b"{", b"\xff", b"[" * 10**5, b'"' + b"x" * 100])
def test_what_is_no_json_is_one_clear_error(tmp_path, text):
    (tmp_path / "a.json").write_bytes(text)
    with pytest.raises(UserError, match=r"The results .*a\.json could not be read"):
        read_json(tmp_path / "a.json", "The results")


def test_a_pipe_is_no_file(tmp_path):
    os.mkfifo(tmp_path / "a.json")
    with pytest.raises(UserError, match="no regular file"):
        read_json(tmp_path / "a.json", "The results")
