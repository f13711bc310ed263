import json

import pytest
from checks import GOLDEN

from keras_cvae.schedules import kl_weight, teacher_forcing_ratio

CASES = json.loads((GOLDEN / "schedules.json").read_text())


@pytest.mark.parametrize("case", CASES["kl_beta"], ids=lambda c: f"{c['type']}-{c['epochs']}")
def test_beta_is_the_published_one(case):
    arguments = (case["type"], case["epochs"], case["cycles"], case["ratio"])
    beta = [kl_weight(epoch, *arguments) for epoch in range(case["epochs"])]
    assert beta == pytest.approx(case["beta"], abs=1e-12)


@pytest.mark.parametrize("case", CASES["teacher_forcing_ratio"])
def test_ratio_is_the_published_one(case):
    arguments = (case["initial"], case["start_decay_epoch"], case["decay_step"])
    ratio = [teacher_forcing_ratio(epoch, *arguments) for epoch in range(case["epochs"])]
    assert ratio == pytest.approx(case["ratio"], abs=1e-12)
    assert min(ratio) >= 0


def test_a_cycle_of_one_epoch_is_at_its_end():
    assert [kl_weight(e, "cyclical", 5, cycles=5) for e in range(5)] == [1.0] * 5


def test_more_cycles_than_epochs_are_as_many_as_epochs():
    assert [kl_weight(e, "cyclical", 3, cycles=10) for e in range(3)] == [1.0] * 3


def test_one_epoch():
    assert [kl_weight(0, name, 1) for name in ("none", "monotonic", "cyclical")] == [1.0] * 3


@pytest.mark.parametrize("epochs", range(2, 80))
def test_the_ramp_reaches_its_end_exactly(epochs):
    assert kl_weight(epochs - 1, "monotonic", epochs) == 1.0


@pytest.mark.parametrize("strategy", ("none", "monotonic", "cyclical"))
def test_past_its_end_it_holds_the_last_value(strategy):
    last = kl_weight(24, strategy, 25, cycles=4)
    assert kl_weight(25, strategy, 25, cycles=4) == kl_weight(900, strategy, 25, cycles=4) == last


def test_start_and_stop_are_values_of_beta():
    beta = [kl_weight(e, "monotonic", 5, start=0.1, stop=0.5) for e in range(5)]
    assert beta == pytest.approx([0.1, 0.2, 0.3, 0.4, 0.5])
    assert kl_weight(3, "none", 5, start=0.1, stop=0.5) == 0.5


def test_strategies_differ():
    values = {s: [kl_weight(e, s, 20, cycles=4) for e in range(20)] for s in ("none", "monotonic")}
    cyclical = [kl_weight(e, "cyclical", 20, cycles=4) for e in range(20)]
    assert values["none"] != values["monotonic"] != cyclical
    assert cyclical[0] == cyclical[5] == cyclical[10] == 0.0


@pytest.mark.parametrize(
    "bad",
    (
        {"strategy": "linear"},
        {"epochs": 0},
        {"cycles": 0},
        {"ratio": 0.0},
        {"ratio": 1.5},
        {"start": -0.1},
        {"epoch": -1},
    ),
)
def test_impossible_schedules_are_errors(bad):
    with pytest.raises(ValueError, match=r"expected|needs|must|got"):
        kl_weight(**{"epoch": 0, "strategy": "cyclical", "epochs": 10, **bad})


@pytest.mark.parametrize(
    "bad", ({"start": 1.1}, {"start": -0.1}, {"decay_step": -1}, {"epoch": -1})
)
def test_impossible_ratios_are_errors(bad):
    with pytest.raises(ValueError, match="got"):
        teacher_forcing_ratio(**{"epoch": 0, **bad})
