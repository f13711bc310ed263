import argparse
import re

import pytest

from keras_cvae.training.config import TrainingConfig
from keras_cvae.training.flags import add_arguments
from keras_cvae.training.resolve import resolve


def parse(*flags):
    parser = argparse.ArgumentParser(argument_default=argparse.SUPPRESS, allow_abbrev=False)
    add_arguments(parser)
    return vars(parser.parse_args([str(flag) for flag in flags]))


def test_logvar_bound_none_is_given_not_absent():
    assert parse("--logvar-bound", "none") == {"logvar_bound": None}
    assert resolve(parse("--logvar-bound", "none")).logvar_bound is None
    assert resolve(parse("--logvar-bound", "3.5")).logvar_bound == 3.5


def test_only_what_is_given_is_parsed():
    assert parse() == {}
    assert parse("--frame-size", 16, 24, "--tfr", 0.5) == {"frame_size": [16, 24], "tfr": 0.5}


def test_every_field_but_the_schedules_length_has_its_flag():
    fields = set(TrainingConfig.__dataclass_fields__) - {"schedule_epochs"}
    parser = argparse.ArgumentParser(argument_default=argparse.SUPPRESS)
    add_arguments(parser)
    flags = {action.dest for action in parser._actions} - {"help"}
    assert flags == fields


def test_help_shows_the_defaults_of_both_recipes():
    parser = argparse.ArgumentParser()
    add_arguments(parser)
    text = " ".join(parser.format_help().split())
    assert "published: 70" in text
    assert re.search(r"bound of the log-variance, or 'none' \([\d.]+; published: none\)", text)
    assert "(32 64)" in text


def test_flags_become_the_arguments_of_model_and_callbacks():
    config = resolve(
        parse("--kl-anneal", "cyclical", "--kl-cycles", 3, "--kl-ratio", 0.5, "--kl-start", 0.1)
        | parse("--kl-stop", 0.9, "--epochs", 12, "--tfr", 0.7, "--tfr-start-decay", 4)
        | parse("--tfr-decay-step", 0.2, "--feedback-gradient", "flow", "--temperature", 0.3)
    )
    assert config.kl_schedule() == {
        "strategy": "cyclical",
        "epochs": 12,
        "cycles": 3,
        "ratio": 0.5,
        "start": 0.1,
        "stop": 0.9,
    }
    assert config.forcing_schedule() == {"start": 0.7, "start_decay_epoch": 4, "decay_step": 0.2}
    assert config.model_overrides()["stop_feedback_gradient"] is False
    assert config.model_overrides()["temperature"] == 0.3


@pytest.mark.parametrize("flag", [["--logvar-bound", "x"], ["--optimizer", "sgd"], ["--nope"]])
def test_unknown_flags_and_values_end_with_code_2(flag, capsys):
    with pytest.raises(SystemExit) as stop:
        parse(*flag)
    assert stop.value.code == 2
    assert capsys.readouterr().err


def test_minutes_are_a_number():
    assert parse("--minutes", "2.5") == {"minutes": 2.5}
    with pytest.raises(SystemExit):
        parse("--minutes", "long")
