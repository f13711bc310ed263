"""What is measured leaves no trace: on torch here, on the other backends as slow tests."""

import keras
import pytest
from checks import call, installed_backends, to_numpy
from training_checks import GIVEN, compare, largest, some_data, state

from keras_cvae.training import timing
from keras_cvae.training.begin import new_model
from keras_cvae.training.resolve import resolve
from keras_cvae.training.timing import DROPPED, TIMED, measure, unchanged


def test_a_training_that_was_measured_is_the_same(capsys):
    compare()
    assert capsys.readouterr().out.split() == ["0.0", "0.0"]


@pytest.mark.slow
@pytest.mark.parametrize("backend", [b for b in installed_backends() if b != "torch"])
def test_the_same_on_other_backends(backend):
    assert call(compare, backend, backend=backend, timeout=900, fresh=True).split() == [
        "0.0",
        "0.0",
    ]


def test_everything_changes_inside_and_nothing_after():
    config, data = resolve(GIVEN), some_data()
    model = new_model(config, data)
    before = state(model)
    with unchanged(model):
        model.fit(data.clips, epochs=1, shuffle=False, verbose=0)
        assert largest(state(model), before) > 0
    assert largest(state(model), before) == 0


def test_an_error_inside_restores_as_well():
    model = new_model(resolve(GIVEN), some_data())
    before = state(model)
    with pytest.raises(ZeroDivisionError), unchanged(model):
        model.beta.assign(3.0)
        raise ZeroDivisionError
    assert largest(state(model), before) == 0


@pytest.mark.parametrize(
    ("tfr", "decay", "ratio"), [(0.0, 0.1, 0), (1.0, 0.0, 1), (1.0, 0.5, 0), (0.5, 0.0, 0)]
)
def test_steps_are_timed_as_most_of_them_are(monkeypatch, tfr, decay, ratio):
    given = {**GIVEN, "tfr": tfr, "tfr_decay_step": decay, "tfr_start_decay": 1}
    config, data, seen = resolve(given), some_data(), []
    model = new_model(config, data)

    def steps(model, clips):
        seen.append(float(to_numpy(model.teacher_forcing_ratio)))
        return 0.5, 0.1

    monkeypatch.setattr(timing, "_steps", steps)
    monkeypatch.setattr(timing, "_validation", lambda *_: (0.25, 0.01, 0.0))
    monkeypatch.setattr(timing, "_figure", lambda _: 0.0)
    monkeypatch.setattr(model, "save", lambda _: None)
    costs = measure(model, data, config)
    assert seen == [ratio]
    assert costs == pytest.approx((0.5, 0.06, 0.07, 4 * 0.06 + 0.04 + 0.25, 0.75), abs=1e-2)


def test_so_many_steps_are_timed(monkeypatch):
    config, data = resolve(GIVEN), some_data()
    model = new_model(config, data)
    steps = []
    step = model.train_step
    monkeypatch.setattr(model, "train_step", lambda *data: steps.append(1) or step(*data))
    measure(model, data, config)  # over the end of an epoch: it has 5 batches
    if keras.backend.backend() == "torch":
        assert len(steps) == DROPPED + TIMED
