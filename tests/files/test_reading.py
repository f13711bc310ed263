import os
import zipfile

import pytest

from keras_cvae.errors import UserError
from keras_cvae.files import check_archive, read_json, read_member


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


def test_a_member_is_read_or_named(tmp_path, monkeypatch):
    path = tmp_path / "a.keras"
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr("state.json", b'{"epoch": 3}' * 1000)
    assert read_member(path, "state.json") == b'{"epoch": 3}' * 1000
    with pytest.raises(UserError, match=r"a\.keras has no other\.json in it"):
        read_member(path, "other.json")
    monkeypatch.setattr("keras_cvae.files.reading.MAX_JSON_BYTES", 100)
    with pytest.raises(UserError, match=r"state\.json in .* is larger than 100 bytes"):
        read_member(path, "state.json")
    data = bytearray(path.read_bytes())
    data[50] ^= 255  # within the compressed content
    path.write_bytes(data)
    monkeypatch.undo()
    with pytest.raises(UserError, match=r"a\.keras is damaged"):
        read_member(path, "state.json")


@pytest.mark.parametrize("text", [b"", b"{", b"\xff", b"[" * 10**5, b'"' + b"x" * 100])
def test_what_is_no_json_is_one_clear_error(tmp_path, text):
    (tmp_path / "a.json").write_bytes(text)
    with pytest.raises(UserError, match=r"The results .*a\.json could not be read"):
        read_json(tmp_path / "a.json", "The results")


def test_a_pipe_is_no_file(tmp_path):
    os.mkfifo(tmp_path / "a.json")
    with pytest.raises(UserError, match="no regular file"):
        read_json(tmp_path / "a.json", "The results")
