import json
import math

import pytest
from checks import GOLDEN

from keras_cvae.schedules import (
    default_cycles,
    has_ramps,
    kl_weight,
    most_cycles,
    teacher_forcing_ratio,
)

GOLDEN_VALUES = json.loads((GOLDEN / "schedules.json").read_text())


def betas(strategy, epochs, past_end=0, **options):
    return [kl_weight(e, strategy, epochs, **options) for e in range(epochs + past_end)]


@pytest.mark.parametrize(
    "case",
    GOLDEN_VALUES["kl_beta"],
    ids=lambda c: "-".join(str(c[k]) for k in ("type", "epochs", "cycles", "ratio")),
)
def test_beta_has_the_golden_values(case):
    ours = betas(case["type"], case["epochs"], cycles=case["cycles"], ratio=case["ratio"])
    assert ours == pytest.approx(case["beta"], abs=1e-12, rel=0)


@pytest.mark.parametrize("case", GOLDEN_VALUES["teacher_forcing_ratio"], ids=str)
def test_teacher_forcing_has_the_golden_values(case):
    ours = [
        teacher_forcing_ratio(epoch, case["initial"], case["start_decay_epoch"], case["decay_step"])
        for epoch in range(case["epochs"])
    ]
    assert ours == pytest.approx(case["ratio"], abs=1e-12, rel=0)


def test_none_is_stop_in_every_epoch():
    assert betas("none", 3, past_end=2, start=0.2, stop=0.7) == [0.7] * 5


def test_monotonic_ignores_the_cycles_and_differs_from_cyclical():
    assert betas("monotonic", 20, cycles=4) == betas("monotonic", 20, cycles=1)
    assert betas("monotonic", 20) == betas("cyclical", 20, cycles=1)
    assert betas("monotonic", 20) != betas("cyclical", 20, cycles=2)


@pytest.mark.parametrize("epochs", [2, 7, 10, 70, 99, 1001])
@pytest.mark.parametrize("cycles", [1, 3, 10])
@pytest.mark.parametrize("ratio", [0.1, 0.3, 0.7, 1.0])
def test_every_cycle_climbs_from_start_and_reaches_stop_exactly(epochs, cycles, ratio):
    beta = betas("cyclical", epochs, cycles=cycles, ratio=ratio, start=0.25, stop=0.75)
    cycles = min(cycles, epochs)
    begins = [int(k * epochs / cycles) for k in range(cycles)]
    for begin, end in zip(begins, [*begins[1:], epochs], strict=True):
        ramp = beta[begin:end]
        assert ramp == sorted(ramp)
        assert all(0.25 <= value <= 0.75 for value in ramp)
        has_room = (epochs / cycles - 1) * ratio > 0
        assert ramp[0] == (0.25 if has_room else 0.75)
        # A cycle cut short by rounding may end one epoch before the ramp does.
        if len(ramp) >= epochs / cycles:
            assert ramp[-1] == 0.75


def test_a_cycle_of_one_epoch_is_at_stop():
    assert betas("cyclical", 5, cycles=5) == [1.0] * 5
    assert betas("monotonic", 1) == [1.0]
    assert betas("monotonic", 1, stop=0.3) == [0.3]


def test_more_cycles_than_epochs_are_as_many_as_epochs():
    assert betas("cyclical", 3, cycles=10) == betas("cyclical", 3, cycles=3) == [1.0] * 3


def test_a_ramp_shorter_than_an_epoch_starts_low_and_is_at_stop_in_the_next():
    assert betas("monotonic", 10, ratio=0.05, start=0.1) == [0.1] + [1.0] * 9


@pytest.mark.parametrize("strategy", ["none", "monotonic", "cyclical"])
def test_past_the_end_the_last_value_holds(strategy):
    beta = betas(strategy, 23, past_end=30, cycles=4, ratio=0.5)
    assert beta[23:] == [beta[22]] * 30


def test_a_ramp_may_fall():
    assert betas("monotonic", 5, start=1.0, stop=0.0) == [1.0, 0.75, 0.5, 0.25, 0.0]


@pytest.mark.parametrize(
    "wrong",
    [
        {"strategy": "linear"},
        {"epochs": 0},
        {"cycles": 0},
        {"cycles": -1},
        {"ratio": 0.0},
        {"ratio": 1.0001},
        {"ratio": -0.5},
        {"ratio": math.nan},
        {"start": -0.1},
        {"stop": -1.0},
        {"start": math.nan},
        {"stop": math.inf},
        {"epoch": -1},
    ],
    ids=str,
)
@pytest.mark.parametrize("strategy", ["none", "monotonic", "cyclical"])
def test_bad_arguments_of_beta_are_refused(strategy, wrong):
    with pytest.raises(ValueError, match="got|expected"):
        kl_weight(**{"epoch": 0, "strategy": strategy, "epochs": 10, **wrong})


def test_teacher_forcing_never_falls_below_zero():
    values = [teacher_forcing_ratio(epoch, 0.35, 2, 0.1) for epoch in range(200)]
    assert min(values) == 0.0
    assert values[:4] == pytest.approx([0.35, 0.35, 0.25, 0.15])
    assert teacher_forcing_ratio(50, decay_step=0.0) == 1.0


def test_defaults_of_teacher_forcing_are_those_of_the_specification():
    assert [teacher_forcing_ratio(e) for e in (0, 9)] == [1.0, 1.0]
    assert teacher_forcing_ratio(10) == pytest.approx(0.9)
    assert teacher_forcing_ratio(19) == pytest.approx(0, abs=1e-12)
    assert teacher_forcing_ratio(20) == 0


@pytest.mark.parametrize(
    "wrong",
    [
        {"start": 1.1},
        {"start": -0.1},
        {"start": math.nan},
        {"start_decay_epoch": -1},
        {"decay_step": -0.1},
        {"decay_step": math.nan},
        {"epoch": -1},
    ],
    ids=str,
)
def test_bad_arguments_of_teacher_forcing_are_refused(wrong):
    with pytest.raises(ValueError, match="got"):
        teacher_forcing_ratio(**{"epoch": 0, **wrong})


@pytest.mark.parametrize(
    ("epochs", "ratio", "cycles"),
    [(16, 1.0, 4), (70, 1.0, 10), (8, 1.0, 2), (7, 1.0, 1), (1, 1.0, 1), (16, 0.5, 2)],
)
def test_the_default_cycles_have_ramps_of_three_epochs(epochs, ratio, cycles):
    assert default_cycles(epochs, ratio) == cycles
    values = set(betas("cyclical", epochs, cycles=cycles, ratio=ratio))
    assert epochs < 3 or len(values - {0.0, 1.0}) >= 2


@pytest.mark.parametrize("ratio", [1.0, 0.5, 0.3])
@pytest.mark.parametrize("epochs", range(1, 40))
def test_the_most_cycles_are_the_last_that_have_ramps(epochs, ratio):
    most = most_cycles(epochs, ratio)
    with_ramps = [c for c in range(1, epochs + 1) if (epochs / c - 1) * ratio > 1]
    assert most == max(with_ramps, default=0)
    assert all(has_ramps(epochs, c, ratio) == (c in with_ramps) for c in range(1, epochs + 1))
