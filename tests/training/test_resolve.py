import dataclasses
import json

import pytest

from keras_cvae.errors import UserError
from keras_cvae.schedules import kl_weight
from keras_cvae.training.resolve import resolve, with_epochs

PUBLISHED = {
    "epochs": 70,
    "batch_size": 2,
    "lr": 1e-3,
    "lr_schedule": "constant",
    "optimizer": "adam",
    "clipnorm": 1.0,
    "clip_length": 16,
    "kl_anneal": "monotonic",
    "kl_ratio": 1.0,
    "kl_start": 0.0,
    "kl_stop": 1.0,
    "tfr": 1.0,
    "tfr_start_decay": 10,
    "tfr_decay_step": 0.1,
    "output": "none",
    "feedback_gradient": "flow",
    "kl_reduction": "sum",
    "logvar_bound": None,
    "temperature": 1.0,
    "ema": 0.0,
    "accumulate": 1,
    "precision": "float32",
    "validate_every": 1,
}


def test_the_published_recipe_is_the_published_system():
    config = resolve({"recipe": "published"})
    assert {name: getattr(config, name) for name in PUBLISHED} == PUBLISHED


def test_the_recommended_recipe_bounds_and_stops():
    config = resolve({})
    assert config.recipe == "recommended"
    assert config.output == "sigmoid" and config.feedback_gradient == "stop"
    assert config.logvar_bound > 0 and config.temperature == 0
    assert config.lr_schedule == "cosine"
    assert (config.data, config.frame_size) == ("builtin", (32, 64))


def test_the_published_architecture_has_a_learning_rate_of_its_own():
    assert resolve({"preset": "lab"}).lr == 3e-4 < resolve({}).lr
    assert resolve({"preset": "lab", "recipe": "published"}).lr == 1e-3
    assert resolve({"preset": "lab", "lr": 2e-3}).lr == 2e-3


def test_what_is_given_goes_before_the_recipe():
    config = resolve({"recipe": "published", "lr": 5e-4, "output": "clip", "logvar_bound": 8.0})
    assert (config.lr, config.output, config.logvar_bound) == (5e-4, "clip", 8.0)
    assert config.kl_reduction == "sum"


def test_the_schedules_keep_the_length_of_the_first_epochs():
    first = resolve({"epochs": 8})
    assert first.schedule_epochs == 8
    stored = {**vars(first), "epochs": 20}
    again = resolve(stored)
    assert (again.epochs, again.schedule_epochs) == (20, 8)
    assert again.kl_schedule()["epochs"] == 8


def test_a_configuration_survives_json():
    config = resolve({"frame_size": (16, 24), "logvar_bound": None, "stride": 5})
    stored = json.loads(json.dumps(dataclasses.asdict(config)))
    assert resolve(stored) == config


def test_paths_hold_from_any_folder(monkeypatch, tmp_path):
    monkeypatch.chdir(tmp_path)
    config = resolve({"data": "dance", "cache": "decoded"})
    assert config.data == str(tmp_path / "dance") and config.cache == str(tmp_path / "decoded")
    for name in ("builtin", "builtin-ball"):
        assert resolve({"data": name}).data == name


def test_the_ball_changes_no_default(capsys):
    config = resolve({"data": "builtin-ball"})
    assert config == dataclasses.replace(resolve({}), data="builtin-ball")
    assert capsys.readouterr().out == ""


@pytest.mark.parametrize(
    ("given", "message"),
    [
        ({"epochs": 0}, "--epochs"),
        ({"accumulate": 0}, "--accumulate"),
        ({"validate_every": 0}, "--validate-every"),
        ({"minutes": 0.0}, "--minutes"),
        ({"minutes": float("inf")}, "--minutes"),
        ({"minutes": 5.0, "epochs": 4}, "--minutes 5 and --epochs 4 both say"),
        ({"minutes": True}, "--minutes must be of the type"),
        ({"mirror": 1}, "--mirror must be of the type"),
        ({"lr": 0.0}, "--lr"),
        ({"lr": -1.0}, "--lr"),
        ({"lr": float("nan")}, "--lr"),
        ({"lr": float("inf")}, "--lr"),
        ({"clipnorm": -1.0}, "--clipnorm"),
        ({"ema": 1.0}, "--ema"),
        ({"ema": -0.1}, "--ema"),
        ({"tfr": 1.5}, "probability"),
        ({"tfr_decay_step": -0.1}, "decay_step"),
        ({"kl_ratio": 0.0}, "ratio"),
        ({"kl_cycles": 0}, "cycles"),
        ({"kl_stop": -1.0}, "beta"),
        ({"kl_stop": float("nan")}, "--kl-stop"),
        ({"temperature": -1.0}, "temperature"),
        ({"temperature": float("nan")}, "temperature"),
        ({"logvar_bound": 0.0}, "--logvar-bound"),
        ({"logvar_bound": -3.0}, "--logvar-bound"),
        ({"recipe": "best"}, "recipe"),
    ],
    ids=str,
)
def test_what_no_run_can_have_is_an_error(given, message):
    with pytest.raises(ValueError, match=message):
        resolve(given)


def test_unknown_fields_are_a_value_error():
    """A configuration of another version, or of another program."""
    with pytest.raises(ValueError, match="model_type"):
        resolve({"model_type": "bert"})


def test_the_cycles_give_ramps():
    config = resolve({"kl_anneal": "cyclical"})
    assert (config.epochs, config.kl_cycles) == (16, 4)
    assert resolve({"kl_anneal": "cyclical", "recipe": "published"}).kl_cycles == 10
    assert resolve({"kl_anneal": "cyclical", "kl_cycles": 7}).kl_cycles == 7


@pytest.mark.parametrize(
    ("given", "message"),
    [
        ({"kl_cycles": 8}, "--kl-cycles 8 in 16 epochs .* at most 7"),
        ({"kl_cycles": 10}, "at most 7"),
        ({"kl_cycles": 5, "kl_ratio": 0.3}, "at most 3"),
        ({"epochs": 2}, "no room for even one"),
    ],
)
def test_cycles_without_ramps_are_an_error_of_a_new_run(given, message):
    with pytest.raises(UserError, match=message):
        resolve({"kl_anneal": "cyclical", **given})
    resolve({"kl_anneal": "monotonic", **given})  # which has no cycles


def test_one_default_cycle_is_said_to_be_the_monotonic_ramp():
    with pytest.warns(UserWarning, match="one ramp, as the monotonic"):
        assert resolve({"kl_anneal": "cyclical", "epochs": 6}).kl_cycles == 1


def test_a_stored_run_keeps_its_cycles():
    stored = {**dataclasses.asdict(resolve({})), "kl_anneal": "cyclical", "kl_cycles": 10}
    config = resolve(stored)
    assert config.kl_cycles == 10
    assert [kl_weight(epoch, **config.kl_schedule()) for epoch in range(3)] == [0, 0, 0.001]


def test_minutes_leave_open_what_the_epochs_decide():
    given = {"minutes": 5.0, "kl_anneal": "cyclical"}
    config = resolve(given)
    assert config.kl_cycles is None and config.validate_every is None
    complete = with_epochs(config, 70)
    assert (complete.epochs, complete.schedule_epochs, complete.kl_cycles) == (70, 70, 10)
    assert complete.validate_every == 9 and complete.minutes == 5
    stored = json.loads(json.dumps(dataclasses.asdict(complete)))
    assert resolve(stored) == complete  # minutes and epochs together are those of a stored run
    assert resolve({**stored, "epochs": 80}).schedule_epochs == 70


def test_given_values_stay_with_minutes():
    config = with_epochs(resolve({"minutes": 5.0, "kl_cycles": 3, "validate_every": 4}), 40)
    assert (config.kl_cycles, config.validate_every) == (3, 4)


def test_cycles_without_ramps_are_an_error_with_minutes_too():
    config = resolve({"minutes": 5.0, "kl_anneal": "cyclical", "kl_cycles": 8})
    with pytest.raises(UserError, match="--kl-cycles 8 in 16 epochs .* at most 7"):
        with_epochs(config, 16)
    with pytest.warns(UserWarning, match="in 6 epochs the cyclical annealing has one ramp"):
        with_epochs(resolve({"minutes": 5.0, "kl_anneal": "cyclical"}), 6)


def test_a_configuration_of_an_earlier_version_keeps_what_it_had():
    stored = dataclasses.asdict(resolve({"data": "somewhere"}))
    for name in ("minutes", "mirror"):
        del stored[name]
    again = resolve(stored)
    assert again.minutes is None and again.mirror is False
    assert resolve({**stored, "mirror": True}).mirror is True
