"""The download of the web runtime, from a package of a few bytes."""

import base64
import hashlib
import http.client
import io
import tarfile
import urllib.error
import urllib.request

import pytest

from keras_cvae.errors import UserError
from keras_cvae.files import cache_folder
from keras_cvae.play import web_runtime as module
from keras_cvae.play.web_runtime import MODULE, VERSION, WASM, web_runtime

CONTENTS = {MODULE: b"export {};", WASM: b"\0asm"}


def package(members):
    """The bytes of a .tgz with members, named as in the package of the registry."""
    stored = io.BytesIO()
    with tarfile.open(fileobj=stored, mode="w:gz") as archive:
        for name, data in members.items():
            member = tarfile.TarInfo(f"package/dist/{name}")
            member.size = len(data)
            archive.addfile(member, io.BytesIO(data))
    return stored.getvalue()


class Registry:
    """Stands in for the network: gives `package`, and keeps what was asked of it."""

    def __init__(self, monkeypatch):
        self.asked = []
        self.monkeypatch = monkeypatch
        monkeypatch.setattr(urllib.request, "urlopen", self.open)

    def gives(self, data, known=True):
        self.package = data
        if known:
            digest = base64.b64encode(hashlib.sha512(data).digest()).decode()
            self.monkeypatch.setattr(module, "SHA512", digest)
            self.monkeypatch.setattr(module, "SIZE", len(data))

    def open(self, url, timeout):
        self.asked.append(url)
        assert timeout > 0
        return io.BytesIO(self.package)


@pytest.fixture
def registry(monkeypatch, tmp_path):
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "cache"))
    hashes = {name: hashlib.sha256(data).hexdigest() for name, data in CONTENTS.items()}
    monkeypatch.setattr(module, "SHA256", hashes)
    registry = Registry(monkeypatch)
    registry.gives(package({"README.md": b"x", **CONTENTS}))
    return registry


def kept():
    return cache_folder() / f"onnxruntime-web-{VERSION}"


def test_it_is_downloaded_once(registry, capsys):
    for _ in range(2):
        assert web_runtime() == (CONTENTS[MODULE], CONTENTS[WASM])
    assert registry.asked == [module.URL]
    assert {path.name for path in kept().iterdir()} == set(CONTENTS)
    said = capsys.readouterr().out
    assert said.count("downloading the web runtime once (33 MB, onnxruntime-web@1.30.0)") == 1


def test_a_damaged_cache_is_filled_again(registry):
    web_runtime()
    (kept() / WASM).write_bytes(b"damaged")
    assert web_runtime().wasm == CONTENTS[WASM] and len(registry.asked) == 2


def test_another_package_is_refused_before_it_is_unpacked(registry, monkeypatch):
    monkeypatch.setattr(module, "_unpack", None)
    registry.gives(package({**CONTENTS, "more": b""}), known=False)
    with pytest.raises(UserError, match="sha512 differs.*npm pack onnxruntime-web@1.30.0"):
        web_runtime()
    assert not kept().exists()


def test_what_is_larger_than_the_package_is_not_read_to_its_end(registry):
    class Endless(io.BytesIO):
        count = 0

        def read(self, size):
            self.count += size
            return b"\0" * size

    endless = Endless()
    registry.monkeypatch.setattr(urllib.request, "urlopen", lambda *_, **__: endless)
    with pytest.raises(UserError, match="sha512 differs"):
        web_runtime()
    assert endless.count == module.SIZE + 1


@pytest.mark.parametrize(
    "data",
    [
        package({MODULE: CONTENTS[MODULE]}),  # a member is missing
        package({**CONTENTS, WASM: b"another program"}),
        package(CONTENTS)[:-40],  # cut
        b"no archive",
        b"",
    ],
    ids=["missing", "another", "cut", "no archive", "empty"],
)
def test_a_package_that_is_not_as_expected_is_one_line(registry, data):
    registry.gives(data)
    with pytest.raises(UserError, match="could not be stored.*npm pack") as raised:
        web_runtime()
    assert "\n" not in str(raised.value)
    assert not kept().exists()


def test_a_huge_member_is_not_read_whole(registry, monkeypatch):
    monkeypatch.setattr(module, "_LARGEST", 2**10)
    sizes = []
    read = tarfile.ExFileObject.read
    monkeypatch.setattr(
        tarfile.ExFileObject,
        "read",
        lambda file, size=-1: sizes.append(size) or read(file, size),
    )
    registry.gives(package({**CONTENTS, WASM: b"\0" * 2**22}))
    with pytest.raises(UserError, match=f"has no package/dist/{WASM} of the known content"):
        web_runtime()
    assert sizes == [2**10] * 2


def test_members_that_are_no_files_are_never_followed(registry, tmp_path):
    secret = tmp_path / "secret"
    secret.write_bytes(CONTENTS[WASM])
    stored = io.BytesIO()
    with tarfile.open(fileobj=stored, mode="w:gz") as archive:
        link = tarfile.TarInfo(f"package/dist/{WASM}")
        link.type, link.linkname = tarfile.SYMTYPE, str(secret)
        archive.addfile(link)
    registry.gives(stored.getvalue())
    with pytest.raises(UserError, match="could not be stored"):
        web_runtime()


@pytest.mark.parametrize(
    "fault",
    [
        urllib.error.URLError("Name or service not known"),
        urllib.error.HTTPError(module.URL, 404, "Not Found", {}, None),
        TimeoutError("timed out"),
        http.client.IncompleteRead(b"", 9),
    ],
    ids=["no network", "not there", "timeout", "cut"],
)
def test_a_failed_download_says_why_and_the_way_out(registry, monkeypatch, fault):
    def fail(*_, **__):
        raise fault

    monkeypatch.setattr(urllib.request, "urlopen", fail)
    with pytest.raises(
        UserError, match="could not be downloaded from .*npm pack.*folder"
    ) as raised:
        web_runtime()
    assert str(fault) in str(raised.value) and "\n" not in str(raised.value)


def test_a_folder_of_ones_own(registry, tmp_path):
    with pytest.raises(UserError, match=f"{MODULE} does not exist. Run `npm pack"):
        web_runtime(tmp_path)
    for name, data in CONTENTS.items():
        (tmp_path / name).write_bytes(data)
    assert web_runtime(tmp_path) == tuple(CONTENTS.values())
    (tmp_path / WASM).write_bytes(b"another")
    with pytest.raises(UserError, match=f"{WASM} is damaged or another one"):
        web_runtime(tmp_path)
    assert not registry.asked
