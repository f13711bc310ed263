import dataclasses
import time

import keras
import numpy as np
import pytest
from training_checks import GIVEN, largest, some_data, state

from keras_cvae.errors import UserError
from keras_cvae.training import begin as begin_module
from keras_cvae.training.begin import begin, new_model
from keras_cvae.training.budget import Costs
from keras_cvae.training.resolve import resolve

COSTS = Costs(epoch=5.0, validation=0.0, rollout=0.0, results=0.0)
OPEN = {name: value for name, value in GIVEN.items() if name != "epochs"}


@pytest.fixture
def measured(monkeypatch):
    """Costs in place of measured ones; gives the models that were to be measured."""
    models = []

    def measure(model, data, config):
        models.append(model)
        return COSTS

    monkeypatch.setattr(begin_module, "measure", measure)
    monkeypatch.setattr(begin_module, "MARGIN", 1.0)
    return models


def test_the_epochs_fill_the_minutes(measured, capsys, monkeypatch):
    monkeypatch.setattr(begin_module, "measure", lambda *_: COSTS._replace(epoch=50.0))
    config = resolve({**OPEN, "minutes": 100.0, "kl_anneal": "cyclical"})
    _, config = begin(config, some_data(), time.monotonic() - 625)
    assert config.epochs == config.schedule_epochs == 107  # and half a one, until it is known
    expected = resolve({**OPEN, "epochs": 107, "kl_anneal": "cyclical"})
    assert config.kl_cycles == expected.kl_cycles == 10
    assert config.validate_every == 13
    different = {
        name
        for name, value in dataclasses.asdict(config).items()
        if value != getattr(expected, name)
    }
    assert different == {"minutes", "validate_every"}  # those of the built-in data are fixed
    assert (
        "267 steps of 2 x 2 clips in 107 epochs, about 1 h 29 min (ten" in capsys.readouterr().out
    )


def test_what_is_compiled_again_counts(measured, monkeypatch):
    monkeypatch.setattr(
        begin_module, "measure", lambda *_: COSTS._replace(again=30.0, results=20.0)
    )
    _, config = begin(resolve({**OPEN, "minutes": 2.0}), some_data(), time.monotonic())
    assert 10 <= config.epochs <= 14


def test_what_is_given_stays(measured):
    config = resolve({**OPEN, "minutes": 10.0, "validate_every": 3, "kl_cycles": 2})
    _, config = begin(config, some_data(), time.monotonic())
    assert (config.validate_every, config.kl_cycles) == (3, 2)


def test_the_shortest_training_has_a_step_and_a_warning(measured):
    config = resolve({**OPEN, "minutes": 0.01, "accumulate": 12})
    with pytest.warns(UserWarning, match="takes about 15 s more, longer than --minutes 0.01"):
        _, config = begin(config, some_data(), time.monotonic())
    assert config.epochs == 3  # 15 batches: one step of twelve


def test_cycles_must_have_ramps_in_the_minutes(measured):
    config = resolve({**OPEN, "minutes": 1.0, "kl_anneal": "cyclical", "kl_cycles": 10})
    with pytest.raises(UserError, match="--kl-cycles 10 in 1[01] epochs leave no room"):
        begin(config, some_data(), time.monotonic())


def test_the_model_is_that_of_the_same_numbers():
    """Really measured: weights, optimiser and rate are those of a run with so many epochs."""
    data, config = some_data(), resolve({**OPEN, "minutes": 3.0})
    model, config = begin(config, data, time.monotonic())
    assert config.epochs > 1
    keras.utils.set_random_seed(config.seed)
    other = new_model(resolve({**OPEN, "epochs": config.epochs}), data)
    assert largest(state(model), state(other)) == 0
    assert data.clips.epoch == 0
    for each in (model, other):
        each.fit(data.clips, epochs=2, shuffle=False, verbose=0)
        data.clips.epoch = 0
    assert largest(state(model), state(other)) == 0
    assert np.isclose(
        *(float(keras.ops.convert_to_numpy(m.optimizer.learning_rate)) for m in (model, other))
    )


def test_the_built_in_data_are_not_measured(measured, capsys):
    begin(resolve({**GIVEN, "epochs": 1000}), some_data(), time.monotonic())
    assert not measured and not capsys.readouterr().out


@pytest.mark.parametrize(("epochs", "about"), [(23, ""), (24, ", about 2 min 0 s (ten steps ")])
def test_long_trainings_on_a_folder_are_measured(measured, tmp_path, capsys, epochs, about):
    config = resolve({**GIVEN, "data": str(tmp_path), "accumulate": 1, "epochs": epochs})
    capsys.readouterr()
    model, same = begin(config, some_data(), time.monotonic())
    assert same is config and measured == ([model] if about else [])
    steps = 5 * epochs
    assert f"{steps} steps of 2 clips in {epochs} epochs{about}" in capsys.readouterr().out


def test_a_wrong_frame_size_is_found_before_anything_is_measured(measured):
    config = resolve({**OPEN, "minutes": 1.0, "frame_size": (15, 16)})
    with pytest.raises(UserError, match="multiples of 8"):
        begin(config, some_data(), time.monotonic())
    assert not measured
