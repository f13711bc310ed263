"""One declaration of a setting: its field, flag, defaults, help and check."""

import dataclasses
from collections.abc import Callable, Iterable
from typing import Any

from keras_cvae.errors import UserError

_SAME: Any = object()  # the published recipe has the same default


@dataclasses.dataclass(frozen=True)
class Setting:
    """What is known of a setting beyond its name and type.

    Args:
        group: the group of its flag in `--help`.
        help: what its flag says, without the default.
        recommended: its default in the recipe `"recommended"`.
        published: its default in the recipe `"published"`.
        check: what its value must be, or `None`; see `at_least`.
        flag: options of `ArgumentParser.add_argument`.
    """

    group: str
    help: str
    recommended: Any
    published: Any
    check: tuple[Callable[[Any], bool], str] | None
    flag: dict

    def default(self, recipe: str) -> Any:
        """The default in a recipe."""
        return self.published if recipe == "published" else self.recommended


def setting(
    group: str,
    help: str,
    default: Any,
    published: Any = _SAME,
    check: tuple[Callable[[Any], bool], str] | None = None,
    **flag: Any,
) -> Any:
    """Declares a field of a dataclass as a setting; see `Setting` for the arguments."""
    published = default if published is _SAME else published
    return dataclasses.field(
        metadata={"setting": Setting(group, help, default, published, check, flag)}
    )


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


def check_settings(config: Any) -> None:
    """Checks each value of a configuration by its declaration.

    Raises:
        UserError: for the first value that does not fit.
    """
    for name, declared in settings(config).items():
        value = getattr(config, name)
        if declared.check is None:
            continue
        fits, expected = declared.check
        if not fits(value):
            raise UserError(f"{flag_name(name)} must be {expected}; got {value}.")


def at_least(low: float) -> tuple[Callable[[Any], bool], str]:
    """A check: a finite number of at least `low`."""
    return lambda value: low <= value < float("inf"), f"a finite number of at least {low}"


def above(low: float, or_none: bool = False) -> tuple[Callable[[Any], bool], str]:
    """A check: a finite number above `low`, or with `or_none` `None`."""
    text = f"a finite number above {low}" + (", or 'none'" if or_none else "")
    return lambda value: (or_none and value is None) or low < value < float("inf"), text


def within(low: float, high: float) -> tuple[Callable[[Any], bool], str]:
    """A check: a number in [low, high)."""
    return lambda value: low <= value < high, f"in [{low}, {high})"


def one_of(names: Iterable[str]) -> tuple[Callable[[Any], bool], str]:
    """A check: one of some names."""
    names = tuple(names)
    return lambda value: value in names, f"one of {', '.join(names)}"
