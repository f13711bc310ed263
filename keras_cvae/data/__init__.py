"""Videos and poses: from a folder, from arrays, or built in.

Names load on first use: importing this package imports neither Keras nor OpenCV.
"""

import importlib
from typing import Any

_HOME = {
    "Clips": "clips",
    "DanceFolder": "dance_folder",
    "Video": "videos",
    "check_video": "videos",
    "has_split": "sources",
    "load_videos": "sources",
    "read_image": "decoding",
    "read_split": "dance_folder",
}

__all__ = sorted(_HOME)


def __getattr__(name: str) -> Any:
    if name not in _HOME:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    return getattr(importlib.import_module(f"{__name__}.{_HOME[name]}"), name)


def __dir__() -> list[str]:
    return sorted(set(globals()) | set(_HOME))
