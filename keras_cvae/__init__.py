"""keras_cvae: pose-conditioned video prediction with a conditional VAE in Keras 3.

Public names load on first use, so that `import keras_cvae` imports no backend. Keras finds
registered classes only in imported modules: where Keras is already imported, the model is
registered at once, else when its name is first used (`from keras_cvae import CVAE`).
"""

import importlib
import sys
from pathlib import Path

__version__ = "0.2.0.dev0"

# Git without symbolic links writes the links to ../callbacks and ../saved_models as text files.
_FOLDER = Path(__file__).parent
if (_FOLDER / "callbacks").is_file() and (_FOLDER.parent / "callbacks").is_dir():
    __path__.append(str(_FOLDER.parent))

_HOME = {
    "CVAE": "keras_cvae.model.cvae",
    "Rollout": "keras_cvae.model.rollout",
    "load_model": "keras_cvae.model.loading",
    "export": "keras_cvae.exporting.exporter",
    "from_pretrained": "keras_cvae.model.loading",
    "load_lab_checkpoint": "keras_cvae.published.checkpoint",
    "save_lab_checkpoint": "keras_cvae.published.checkpoint",
    "Clips": "keras_cvae.data",
    "DanceFolder": "keras_cvae.data",
    "Video": "keras_cvae.data",
    "load_videos": "keras_cvae.data",
}
_MODULES = (
    "callbacks",
    "data",
    "distribution",
    "evaluation",
    "inference",
    "metrics",
    "plots",
    "schedules",
    "video",
)

__all__ = sorted([*_HOME, *_MODULES])


def __getattr__(name):
    if name in _MODULES:
        return importlib.import_module(f"keras_cvae.{name}")
    if name not in _HOME:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    return getattr(importlib.import_module(_HOME[name]), name)


def __dir__():
    return sorted(set(globals()) | set(__all__))


if "keras" in sys.modules:
    importlib.import_module("keras_cvae.model.cvae")
