"""The error that a user can mend, and the checks that many places share."""

import importlib
import os
import re
from collections.abc import Iterable
from types import ModuleType


class UserError(ValueError):
    """Something that the user can mend: an argument, a file, a missing package.

    The message is one line: what was got, what was expected, and how to mend it. Scripts print it
    without a traceback and exit with the code 2. Every other exception is a fault of the program
    and keeps its traceback.
    """


class NotFiniteError(UserError):
    """A prediction holds NaN or infinity. Nothing else is wrong, so other results still count."""


def first_line(error: BaseException) -> str:
    """The first line of an exception's message, or its class name where it has none.

    Keras puts a heading above what was raised while a layer was called, and prints that in bold.
    """
    told = re.sub(r"\x1b\[\d*m", "", str(error)).splitlines()
    lines = [line.strip() for line in told if not line.startswith("Exception encountered when")]
    return next(filter(None, lines), type(error).__name__)


def check_at_least_1(**values: float | None) -> None:
    """Checks that no value is below 1. `None` passes.

    Raises:
        UserError: if one is; the message names all of them.
    """
    if any(value is not None and value < 1 for value in values.values()):
        got = ", ".join(f"{name}={value}" for name, value in values.items())
        raise UserError(f"{' and '.join(values)} must be at least 1; got {got}.")


def check_choice(name: str, value: object, choices: Iterable[str]) -> None:
    """Checks that a value is one of some names.

    Raises:
        UserError: if it is not; the message lists the names.
    """
    choices = list(choices)
    if value not in choices:
        raise UserError(f"Unknown {name} {value!r}; expected one of {', '.join(choices)}.")


def check_has(model: object, name: str, who: str) -> None:
    """Checks that a model has what a callback needs of it.

    Args:
        model: any model.
        name: of the attribute.
        who: the callback's name.

    Raises:
        UserError: if it has not.
    """
    if not hasattr(model, name):
        raise UserError(
            f"{who} needs a model with `{name}`; got a {type(model).__name__}, which has none. Use "
            "it with a CVAE or a subclass, or give your model one."
        )


def positive_variable(name: str, default: int) -> int:
    """A bound that an environment variable may change.

    Args:
        name: of the variable.
        default: the bound where the variable is absent or empty.

    Raises:
        UserError: if its value is no positive integer.
    """
    text = os.environ.get(name) or str(default)
    if not (text.isascii() and text.isdecimal() and int(text) > 0):
        raise UserError(
            f"The environment variable {name} must be a positive integer; got {text!r}."
        )
    return int(text)


def optional_package(package: str, extra: str, why: str) -> ModuleType:
    """Imports a package that only some uses need.

    Args:
        package: its name, as it is imported.
        extra: the extra of keras_cvae that installs it.
        why: what it is needed for, such as `"to read videos"`.

    Raises:
        UserError: if it cannot be imported.
    """
    try:
        return importlib.import_module(package)
    except ImportError as error:
        name = package.partition(".")[0].replace("_", "-")
        raise UserError(
            f"{name} is needed {why} and could not be imported ({error}). Install it with "
            f"pip install {name}, or 'keras_cvae[{extra}]'."
        ) from error
