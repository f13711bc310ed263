"""One declaration of a setting: its field, flag, defaults, help and check."""

import dataclasses
import typing
from collections.abc import Callable, Iterable, Mapping
from typing import Any

from keras_cvae.errors import UserError

_SAME: Any = object()  # the published recipe has the same default


Check = tuple[Callable[[Any], bool], str]  # whether a value fits, and what is expected


@dataclasses.dataclass(frozen=True)
class Setting:
    """What is known of a setting beyond its name and type.

    Args:
        group: the group of its flag in `--help`.
        help: what its flag says, without the default.
        recommended: its default in the recipe `"recommended"`.
        published: its default in the recipe `"published"`.
        check: what its value must be, or `None`; see `at_least`.
        choices: the names that it may have, or `None`.
        metavar: how `--help` calls its value, or `None`.
        parse: function of the flag's text, or `None` for the field's type.
    """

    group: str
    help: str
    recommended: Any
    published: Any
    check: Check | None
    choices: tuple[str, ...] | None
    metavar: Any
    parse: Callable[[str], Any] | None

    def default(self, recipe: str) -> Any:
        """The default in a recipe."""
        return self.published if recipe == "published" else self.recommended


def setting(
    group: str,
    help: str,
    default: Any,
    published: Any = _SAME,
    check: Check | None = None,
    choices: Iterable[str] | None = None,
    metavar: Any = None,
    parse: Callable[[str], Any] | None = None,
) -> Any:
    """Declares a field of a dataclass as a setting; see `Setting` for the arguments."""
    published = default if published is _SAME else published
    names = None if choices is None else tuple(choices)
    if names is not None:
        check = (lambda value: value in names, f"one of {', '.join(names)}")
    declared = Setting(group, help, default, published, check, names, metavar, parse)
    return dataclasses.field(metadata={"setting": declared})


def settings(config: Any) -> dict[str, Setting]:
    """The settings of a dataclass or an instance of one, by field name."""
    return {
        field.name: field.metadata["setting"]
        for field in dataclasses.fields(config)
        if "setting" in field.metadata
    }


def flag_name(field: str) -> str:
    """The flag of a field: `--batch-size` of `batch_size`."""
    return f"--{field.replace('_', '-')}"


def check_types(config: type, values: Mapping[str, Any]) -> None:
    """Checks the types of values, which may come from a file that was edited by hand.

    Args:
        config: a dataclass.
        values: by field name; other names are ignored.

    Raises:
        UserError: for the first value that is not of its field's type.
    """
    for name, hint in typing.get_type_hints(config).items():
        if name in values and not _is_a(values[name], hint):
            shown = getattr(hint, "__name__", str(hint)) if isinstance(hint, type) else str(hint)
            raise UserError(f"{flag_name(name)} must be of the type {shown}; got {values[name]!r}.")


def _is_a(value: Any, hint: Any) -> bool:
    parts = typing.get_args(hint)
    if typing.get_origin(hint) is tuple:
        fits = isinstance(value, (list, tuple)) and len(value) == len(parts)
        return fits and all(map(_is_a, value, parts))
    if parts:  # of a union
        return any(_is_a(value, part) for part in parts)
    if isinstance(value, bool):
        return hint is bool
    return isinstance(value, (int, float) if hint is float else hint)


def check_settings(config: Any) -> None:
    """Checks each value of a configuration by its declaration.

    Raises:
        UserError: for the first value that does not fit.
    """
    for name, declared in settings(config).items():
        value = getattr(config, name)
        if declared.check is None or value is None:  # `check_types` knows where None may be
            continue
        fits, expected = declared.check
        if not fits(value):
            raise UserError(f"{flag_name(name)} must be {expected}; got {value}.")


def at_least(low: float) -> Check:
    """A check: a finite number of at least `low`."""
    return lambda value: low <= value < float("inf"), f"a finite number of at least {low}"


def above(low: float, or_none: bool = False) -> Check:
    """A check: a finite number above `low`, or with `or_none` `None`."""
    text = f"a finite number above {low}" + (", or 'none'" if or_none else "")
    return lambda value: (or_none and value is None) or low < value < float("inf"), text


def within(low: float, high: float) -> Check:
    """A check: a number in [low, high)."""
    return lambda value: low <= value < high, f"in [{low}, {high})"
