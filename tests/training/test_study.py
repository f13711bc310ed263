import pytest

from keras_cvae.errors import UserError
from keras_cvae.schedules import kl_weight
from keras_cvae.training.resolve import resolve
from keras_cvae.training.study import planned


@pytest.mark.parametrize("epochs", [8, 16, 70])
def test_the_strategies_of_a_study_differ(epochs):
    betas = {
        strategy: [kl_weight(epoch, **config.kl_schedule()) for epoch in range(epochs)]
        for strategy, _, config in planned(resolve({"epochs": epochs}), seeds=1)
    }
    assert list(betas) == ["none", "monotonic", "cyclical"]
    assert betas["none"] != betas["monotonic"] != betas["cyclical"] != betas["none"]
    assert len(set(betas["cyclical"])) > 2


@pytest.mark.parametrize(
    ("given", "message"),
    [
        ({"epochs": 1}, "none and monotonic have the same beta"),
        ({"epochs": 4}, "monotonic and cyclical have the same beta.*at least 8"),
        ({"kl_cycles": 1}, "monotonic and cyclical"),
        ({"kl_start": 0.001}, "none and monotonic"),
        ({"kl_cycles": 10}, "at most 7"),
    ],
)
def test_strategies_that_are_the_same_are_no_study(given, message):
    with pytest.raises(UserError, match=message):
        planned(resolve(given), seeds=1)
