"""What a model's file claims, checked before Keras imports, builds or unpacks anything of it."""

import os
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import keras

from keras_cvae.backend.keras_private import TORCH_OPTIMIZERS
from keras_cvae.errors import UserError
from keras_cvae.files import parse_json, read_member
from keras_cvae.model.presets import WIDTHS

WIDEST = 4096  # channels of a layer, in a file; the published model has 192
_CONFIG = "config.json"
# Where Keras' own objects in a configuration of ours live. Keras imports a module that a file names
# before it looks at what is in it, and importing a module runs its code.
_MODULES = ("builtins", "keras", "keras.optimizers", "keras.optimizers.schedules")


def check_model_file(path: str | os.PathLike) -> dict:
    """Checks that a `.keras` file is whole, of bounded size, and names known classes alone.

    Args:
        path: the file.

    Returns:
        The configuration of the model in it, as of `get_config()`.

    Raises:
        UserError: if it is no `.keras` file, damaged, too large, or names other classes.
    """
    config = parse_json(read_member(path, _CONFIG), f"The configuration in {path}")
    if not isinstance(config, dict):
        raise UserError(f"{path} is no .keras file: its {_CONFIG} holds no object.")
    if keras.saving.get_registered_object(str(config.get("registered_name"))) is None:
        raise UserError(
            f"{path} holds a {config.get('class_name')}, not a CVAE. Import a class of your own "
            "before, and register it with keras.saving.register_keras_serializable."
        )
    _check_classes(config, path)  # those of the optimiser too
    own: Any = config.get("config")
    _check_widths(own, path)
    return own


def check_model_config(config: Any, path: str | os.PathLike) -> None:
    """Checks a model's configuration from a file.

    Args:
        config: what the file holds.
        path: how an error names the file.

    Raises:
        UserError: if it is no dict, names classes that are not known, or has widths that no model
            has.
    """
    _check_classes(config, path)
    _check_widths(config, path)


def _check_widths(config: Any, path: str | os.PathLike) -> None:
    if not isinstance(config, dict):
        raise UserError(f"{path} holds no configuration of a model.")
    for name in WIDTHS:
        width = config.get(name, 1)
        if isinstance(width, bool) or not isinstance(width, int) or not 1 <= width <= WIDEST:
            raise UserError(f"{path} claims {name}={width!r}; expected 1 to {WIDEST} channels.")


def _check_classes(config: Any, path: str | os.PathLike) -> None:
    for each in _objects(config):
        module, name = each.get("module"), each.get("registered_name")
        if isinstance(name, str) and keras.saving.get_registered_object(name) is not None:
            continue
        if module in (None, *_MODULES) or str(module).startswith(TORCH_OPTIMIZERS):
            continue
        raise UserError(
            f"{Path(path)} names the class {each.get('class_name')!r} of the module {module!r}, "
            "which is not imported on the word of a file. Register a class of your own with "
            "keras.saving.register_keras_serializable, and import it before."
        )


def _objects(value: Any) -> Iterator[dict]:
    """The serialised objects in a configuration; a loop, because files may nest without end."""
    pending = [value]
    while pending:
        value = pending.pop()
        if isinstance(value, dict):
            if "class_name" in value or "module" in value:
                yield value
            pending.extend(value.values())
        elif isinstance(value, list):
            pending.extend(value)
