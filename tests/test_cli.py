import warnings

import pytest

from keras_cvae import cli, runs
from keras_cvae.errors import UserError


@pytest.mark.parametrize("error", [UserError("mend this"), OSError(28, "No space left", "x.gif")])
def test_what_a_user_can_mend_is_one_line(error, capsys):
    with pytest.raises(SystemExit) as stop, cli.reported_errors():
        raise error
    assert stop.value.code == 2
    assert capsys.readouterr().err == f"error: {error}\n"


@pytest.mark.parametrize(
    "text",
    ["", "Exception encountered when calling Cond.call().\n\nCUDA: Out of memory. And\nmore"],
)
def test_too_little_memory_is_one_line_that_says_what_helps(text, capsys):
    with pytest.raises(SystemExit) as stop, cli.reported_errors():
        raise RuntimeError(text) if text else MemoryError
    assert stop.value.code == 2
    (line,) = capsys.readouterr().err.splitlines()
    told = "CUDA: Out of memory. And" if text else "MemoryError"
    assert line.startswith(f"error: not enough memory ({told}). Choose smaller sizes")


@pytest.mark.parametrize("error", [ValueError("of Keras"), KeyError("x"), TypeError("y")])
def test_a_fault_of_the_program_keeps_its_traceback(error):
    with pytest.raises(type(error)), cli.reported_errors():
        raise error


def test_ctrl_c_ends_with_130(capsys):
    with pytest.raises(SystemExit) as stop, cli.reported_errors():
        raise KeyboardInterrupt
    assert stop.value.code == 130 and capsys.readouterr().err == "\nstopped\n"


def test_a_warning_is_one_line(monkeypatch):
    monkeypatch.setattr(warnings, "formatwarning", warnings.formatwarning)
    with cli.reported_errors():
        assert warnings.formatwarning("careful", UserWarning, "f.py", 3) == "warning: careful\n"


def test_out_must_be_new_and_a_run_can_be_resumed(tmp_path):
    cli.check_out(tmp_path / "new")
    with pytest.raises(UserError, match="Give another --out") as caught:
        cli.check_out(tmp_path)
    assert "--resume" not in str(caught.value)
    runs.create_run(tmp_path / "run", {})
    with pytest.raises(UserError, match=r"scripts/train.py --resume .*run"):
        cli.check_out(tmp_path / "run")


def test_settings_are_aligned(capsys):
    cli.show({"a": 1, "long": (2, 3)})
    assert capsys.readouterr().out == "  a     1\n  long  (2, 3)\n"
