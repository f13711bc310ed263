"""What killed processes had begun to write, and how it is told from what living ones write."""

import contextlib
import os
import platform
import re
import shutil
import time
from pathlib import Path

_PARTIAL = re.compile(r"\..*\.(?P<machine>\w+)-(?P<process>\d+)\.partial(\..*)?", re.DOTALL)
_DAY = 24 * 3600.0  # seconds
_CLEANED: set[Path] = set()


def remove_leftovers(folder: str | os.PathLike) -> None:
    """Removes what killed processes had begun to write into a folder, once per folder and process.

    What a living process writes stays. Of a process on another machine, which cannot be asked, it
    stays for a day.

    Args:
        folder: looked through without its subfolders.
    """
    folder = Path(folder).absolute()
    if folder in _CLEANED or not folder.is_dir():
        return
    _CLEANED.add(folder)
    for path in folder.iterdir():
        found = _PARTIAL.fullmatch(path.name)
        if found and _is_left(path, found["machine"], int(found["process"])):
            if path.is_dir() and not path.is_symlink():
                shutil.rmtree(path, ignore_errors=True)
            else:
                path.unlink(missing_ok=True)


def partial_name(path: Path) -> Path:
    """The hidden name under which this process writes a file or folder.

    Args:
        path: where it is going to be.
    """
    suffix = f".{_machine()}-{os.getpid()}.partial{path.suffix}"
    return path.with_name(f".{path.stem[:100]}{suffix}")  # names end at 255 bytes


def _machine() -> str:
    return re.sub("[^A-Za-z0-9]", "_", platform.node())[:40] or "_"


def _is_left(path: Path, machine: str, process: int) -> bool:
    if machine == _machine() and os.name == "posix":
        if process == os.getpid():
            return False
        try:
            os.kill(process, 0)  # asks whether it lives, and sends nothing
        except ProcessLookupError:
            return True
        except OSError:  # it is another user's
            return False
        return False
    with contextlib.suppress(OSError):  # gone by now
        return time.time() - path.lstat().st_mtime > _DAY
    return False
