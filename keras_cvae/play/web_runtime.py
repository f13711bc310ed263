"""ONNX Runtime Web, which runs a model in the browser: downloaded once, checked, and kept."""

import base64
import hashlib
import http.client
import io
import os
import tarfile
import urllib.request
import zlib
from pathlib import Path
from typing import NamedTuple

from keras_cvae.errors import UserError, first_line
from keras_cvae.files import cache_folder, check_regular, written_whole
from keras_cvae.progress import Progress

VERSION = "1.30.0"
PACKAGE = f"onnxruntime-web@{VERSION}"
URL = f"https://registry.npmjs.org/onnxruntime-web/-/onnxruntime-web-{VERSION}.tgz"
SIZE = 33_106_585  # bytes of the package
# Of the package, as the npm registry states it ("integrity").
SHA512 = "q0y+JrrtukXSzsBWEMccVfqX25LRmosXHF+CaRJmg8pZClzcV7svNc4rKY3jL02Vb7QmRMDs1SigqR4CXAfKYQ=="

# The smallest build: WebAssembly alone, with its loader inside the module.
MODULE, WASM = "ort.wasm.bundle.min.mjs", "ort-wasm-simd-threaded.wasm"
SHA256 = {
    MODULE: "11e64bd8ffe11bd1a2a2f0d6275fdfbbba7262f0b76b99b53d228a8a22ef3d90",
    WASM: "3398c10d07d229bd91b364548e130e0e51a8e5704b88c7c083ebbeb78842dee2",
}
_LARGEST = 2**25  # bytes of a member
_PACKED_IN = "package/dist/"
_PIECE = 2**18  # bytes that are read at once
_SECONDS = 30  # without any data
_WAY_OUT = (
    f"Run `npm pack {PACKAGE}` on a machine with the npm registry, unpack "
    f"{' and '.join(_PACKED_IN + name for name in SHA256)} into a folder, and name that folder as "
    "the one of the web runtime"
)


class WebRuntime(NamedTuple):
    """The two files of ONNX Runtime Web.

    Args:
        module: the text of the JavaScript module.
        wasm: the WebAssembly program.
    """

    module: bytes
    wasm: bytes


def web_runtime(folder: str | os.PathLike | None = None) -> WebRuntime:
    """The files of ONNX Runtime Web.

    At first use the npm package is downloaded (33 MB), and the two files of it that are needed are
    kept in the user's cache folder. Files with another content than the known one are never used.

    Args:
        folder: holds both files; `None` is the cache, which is filled if need be.

    Returns:
        Their content.

    Raises:
        UserError: if a file is missing or not the known one, or the download fails.

    Example:
        >>> web_runtime().wasm[:4]
        b'\\x00asm'
    """
    place = cache_folder() / f"onnxruntime-web-{VERSION}" if folder is None else Path(folder)
    found = {name: _read_known(place / name) for name in SHA256}
    if folder is None and None in found.values():
        _fill(place)
        found = {name: _read_known(place / name) for name in SHA256}
    for name, data in found.items():
        if data is None:
            fault = "is damaged or another one" if (place / name).exists() else "does not exist"
            raise UserError(f"The web runtime {place / name} {fault}. {_WAY_OUT}.")
    return WebRuntime(found[MODULE] or b"", found[WASM] or b"")


def _read_known(path: Path) -> bytes | None:
    """The content of a file, `None` if it is missing or not the known one."""
    if not check_regular(path).is_file():
        return None
    with open(path, "rb") as file:
        data = file.read(_LARGEST)
    return data if _is_known(path.name, data) else None


def _is_known(name: str, data: bytes) -> bool:
    return hashlib.sha256(data).hexdigest() == SHA256[name]


def _fill(folder: Path) -> None:
    """Downloads the package and stores the two files."""
    print(f"downloading the web runtime once (33 MB, {PACKAGE}) into {folder}", flush=True)
    package = _download()
    if base64.b64encode(hashlib.sha512(package).digest()).decode() != SHA512:
        raise UserError(
            f"The web runtime could not be downloaded: what {URL} gave is not {PACKAGE} (its "
            f"sha512 differs). {_WAY_OUT}."
        )
    try:
        members = _unpack(package)
        folder.mkdir(parents=True, exist_ok=True)
        for name, data in members.items():
            with written_whole(folder / name) as partial:
                partial.write_bytes(data)
    except (OSError, EOFError, tarfile.TarError, zlib.error) as error:
        raise UserError(
            f"The web runtime could not be stored: {first_line(error)}. {_WAY_OUT}."
        ) from error


def _download() -> bytes:
    """The package; one byte more than it has tells that something larger came."""
    data = bytearray()
    try:
        with (
            urllib.request.urlopen(URL, timeout=_SECONDS) as answer,
            Progress(SIZE, "bytes of the web runtime") as progress,
        ):
            while piece := answer.read(min(_PIECE, SIZE + 1 - len(data))):
                data += piece
                progress.update(len(piece))
    except (OSError, http.client.HTTPException) as error:
        raise UserError(
            f"The web runtime could not be downloaded from {URL}: {first_line(error)}. {_WAY_OUT}."
        ) from error
    return bytes(data)


def _unpack(package: bytes) -> dict[str, bytes]:
    """The two files of the package. Nothing is written, and no more is read than they may have."""
    wanted = {_PACKED_IN + name: name for name in SHA256}
    found = {}
    with tarfile.open(fileobj=io.BytesIO(package), mode="r:gz") as archive:
        for member in archive:
            name = wanted.get(member.name)
            if name and member.isfile() and (file := archive.extractfile(member)):
                found[name] = file.read(_LARGEST)
            if len(found) == len(wanted):
                break
    for name in SHA256:
        if not _is_known(name, found.get(name, b"")):
            raise OSError(f"{PACKAGE} has no {_PACKED_IN}{name} of the known content")
    return found
