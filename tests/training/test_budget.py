import pytest

from keras_cvae.training.budget import Costs
from keras_cvae.training.length import validation_interval

COSTS = Costs(epoch=2.0, validation=3.0, rollout=0.5, results=10.0)


def test_the_time_of_a_run():
    # 20 epochs, 4 validations, 4 kept rollouts, the results
    assert COSTS.seconds(20, every=5) == 40 + 12 + 2 + 10
    assert COSTS.seconds(21, every=5) == 42 + 15 + 2 + 10  # the last epoch is validated, too
    assert COSTS.seconds(1, every=100) == 2 + 3 + 0.5 + 10


@pytest.mark.parametrize("every", [None, 1, 7])
@pytest.mark.parametrize("seconds", [30, 61.5, 600, 36_000])
def test_the_largest_number_of_epochs_that_fits(seconds, every):
    def takes(epochs):
        return COSTS.seconds(epochs, every or validation_interval(epochs))

    epochs = COSTS.fitting_epochs(seconds, every)
    assert takes(epochs) <= seconds
    assert all(takes(more) > seconds for more in range(epochs + 1, epochs + 50))


def test_no_time_is_the_fewest_epochs():
    assert COSTS.fitting_epochs(-5, None) == 1 == COSTS.fitting_epochs(11, 3)
    assert COSTS.fitting_epochs(0, None, least=4) == 4
