import keras
import pytest

from keras_cvae.callbacks import KLAnnealing, TeacherForcing
from keras_cvae.errors import UserError


def fit(model, clips, callback, spy, epochs, initial_epoch=0):
    model.fit(
        clips, epochs=epochs, initial_epoch=initial_epoch, verbose=0, callbacks=[callback, spy]
    )
    return {epoch: beta for epoch, beta, _ in spy.batches}


@pytest.mark.parametrize(
    ("arguments", "expected"),
    [
        ({"strategy": "cyclical", "epochs": 6, "cycles": 2}, [0, 0.5, 1, 0, 0.5, 1]),
        ({"strategy": "cyclical", "epochs": 8}, [0, 1 / 3, 2 / 3, 1, 0]),  # two by default
        ({"strategy": "monotonic", "epochs": 3}, [0, 0.5, 1, 1, 1]),  # holds past its end
        ({"strategy": "monotonic", "epochs": 3, "start": 0.2, "stop": 0.8}, [0.2, 0.5, 0.8]),
        ({"strategy": "none", "epochs": 3, "start": 0.2, "stop": 0.7}, [0.7, 0.7]),
    ],
)
def test_beta_is_set_before_the_first_batch_of_each_epoch(model, clips, spy, arguments, expected):
    betas = fit(model, clips, KLAnnealing(**arguments), spy, len(expected))
    assert betas == pytest.approx(dict(enumerate(expected)))
    assert len(spy.batches) == 3 * len(expected)
    assert [logs["beta"] for logs in spy.logs.values()] == pytest.approx(expected)


def test_a_later_initial_epoch_has_its_own_beta(model, clips, spy):
    betas = fit(model, clips, KLAnnealing("monotonic", epochs=5), spy, 5, initial_epoch=2)
    assert betas == pytest.approx({2: 0.5, 3: 0.75, 4: 1.0})


def test_the_loss_is_weighed_with_it(model, clips, spy):
    fit(model, clips, KLAnnealing("none", epochs=1, stop=0.25), spy, 1)
    logs = spy.logs[0]
    assert logs["kl"] > 1e-3
    assert logs["loss"] == pytest.approx(logs["mse"] + 0.25 * logs["kl"], rel=1e-5)


@pytest.mark.parametrize(
    "wrong",
    [
        {"strategy": "linear"},
        {"epochs": 0},
        {"cycles": 0},
        {"ratio": 0.0},
        {"ratio": 1.1},
        {"start": -0.1},
        {"stop": -1.0},
    ],
)
def test_wrong_arguments_fail_when_it_is_made(wrong):
    with pytest.raises(ValueError, match=str(next(iter(wrong.values())))):
        KLAnnealing(**{"strategy": "cyclical", "epochs": 10, **wrong})


def test_cycles_without_ramps_are_said():
    with pytest.warns(UserWarning, match="10 cycles in 16 epochs .* At most 7"):
        KLAnnealing("cyclical", epochs=16, cycles=10)


@pytest.mark.parametrize("callback", [KLAnnealing("none", epochs=1), TeacherForcing()])
def test_a_model_without_the_variable_is_an_error(callback):
    model = keras.Sequential([keras.layers.Dense(1)])
    with pytest.raises(UserError, match=r"got a Sequential, which has none"):
        callback.set_model(model)
