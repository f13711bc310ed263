"""The flags of a training run, made from the declarations of its settings."""

import argparse
import typing
from collections.abc import Collection
from typing import Any

from keras_cvae.training.config import TrainingConfig
from keras_cvae.training.setting import Setting, flag_name, settings


def add_arguments(parser: argparse.ArgumentParser, without: Collection[str] = ()) -> None:
    """Adds the training flags to a parser, grouped; those not given stay absent.

    Args:
        parser: made with `argument_default=argparse.SUPPRESS`.
        without: flags to leave out.
    """
    types = typing.get_type_hints(TrainingConfig)
    groups: dict[str, Any] = {}
    for name, declared in settings(TrainingConfig).items():
        group = groups.get(declared.group) or parser.add_argument_group(declared.group)
        groups[declared.group] = group
        if flag_name(name) not in without:
            help = f"{declared.help} ({_defaults(declared)})"
            group.add_argument(flag_name(name), help=help, **_options(declared, types[name]))


def _options(declared: Setting, kind: Any) -> dict[str, Any]:
    """How a flag is parsed: by the type of its field, of which `None` is no flag's value."""
    plain, *_ = [each for each in typing.get_args(kind) if each is not type(None)] or [kind]
    if plain is bool:
        return {"action": "store_true"}
    options: dict[str, Any] = {"type": declared.parse or plain}
    if typing.get_origin(kind) is tuple:
        options["nargs"] = len(typing.get_args(kind))
    if declared.choices:
        options["choices"] = declared.choices
    return options | ({"metavar": declared.metavar} if declared.metavar else {})


def _defaults(declared: Setting) -> str:
    recommended, published = map(_shown, (declared.recommended, declared.published))
    return recommended if published == recommended else f"{recommended}; published: {published}"


def _shown(value: object) -> str:
    if isinstance(value, (tuple, list)):
        return " ".join(map(str, value))
    return "none" if value is None else str(value)
