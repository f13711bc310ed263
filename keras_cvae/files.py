"""Files that are written whole or not at all."""

import contextlib
import os
from pathlib import Path


@contextlib.contextmanager
def written_whole(path):
    """Gives a temporary path beside `path` and moves what was written there into place.

    Another process, or a run that is killed and resumed, sees the old file or the new one, never a
    part of it. If the block raises, the temporary file is removed and `path` is as it was.

    Args:
        path: str or `Path`, the file to write. Its folder must exist.

    Yields:
        `Path`, a hidden file in the same folder with the same ending.
    """
    path = Path(path)
    partial = path.with_name(f".{path.stem}.{os.getpid()}.partial{path.suffix}")
    try:
        yield partial
        os.replace(partial, path)
    finally:
        partial.unlink(missing_ok=True)
