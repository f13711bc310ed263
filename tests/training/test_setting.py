import dataclasses

import pytest

from keras_cvae.errors import UserError
from keras_cvae.training.setting import (
    above,
    at_least,
    check_settings,
    flag_name,
    setting,
    settings,
    within,
)


@dataclasses.dataclass
class Config:
    steps: int = setting("training", "how many", 3, published=5, check=at_least(1))
    kind: str = setting("model", "which", "a", choices=("a", "b"))


def test_a_field_carries_its_declaration():
    declared = settings(Config)
    assert list(declared) == ["steps", "kind"]
    assert declared["steps"].default("recommended") == 3
    assert declared["steps"].default("published") == 5
    assert declared["kind"].default("published") == "a"
    assert settings(Config(steps=1, kind="b")).keys() == declared.keys()


def test_values_are_checked_by_name():
    check_settings(Config(steps=1, kind="b"))
    with pytest.raises(UserError, match="--steps must be a finite number of at least 1; got 0"):
        check_settings(Config(steps=0, kind="b"))
    with pytest.raises(UserError, match="--kind must be one of a, b; got c"):
        check_settings(Config(steps=1, kind="c"))


@pytest.mark.parametrize(
    ("check", "fitting", "wrong"),
    [
        (at_least(0), [0, 5.5], [-1, float("nan"), float("inf")]),
        (above(0), [0.1], [0, float("nan")]),
        (above(0, or_none=True), [None, 2], [0, -1]),
        (within(0, 1), [0, 0.99], [1, -0.1, float("nan")]),
    ],
)
def test_checks(check, fitting, wrong):
    fits, _ = check
    assert all(map(fits, fitting)) and not any(map(fits, wrong))


def test_flag_name():
    assert flag_name("batch_size") == "--batch-size"
