import pytest

from keras_cvae import progress
from keras_cvae.progress import Progress


@pytest.fixture
def clock(monkeypatch):
    class Clock:
        now = 0.0

    monkeypatch.setattr(progress.time, "monotonic", lambda: Clock.now)
    return Clock


def run(clock, steps, seconds):
    with Progress(steps, "working") as bar:
        for _ in range(steps):
            clock.now += seconds / steps
            bar.update()


def test_what_is_quick_says_nothing(clock, capsys):
    run(clock, 100, 1.9)
    assert capsys.readouterr().err == ""


def test_a_log_has_a_line_every_ten_seconds(clock, capsys):
    run(clock, 100, 200)
    lines = capsys.readouterr().err.splitlines()
    assert lines[0] == "working: 5/100 (5%), 3 min 10 s left"
    assert lines[-1] == "working: 100/100 (100%), took 3 min 20 s"
    assert 19 <= len(lines) <= 21


def test_a_terminal_has_one_line(clock, capsys, monkeypatch):
    monkeypatch.setattr(progress.sys.stderr, "isatty", lambda: True, raising=False)
    run(clock, 100, 10)
    text = capsys.readouterr().err
    assert text.count("\n") == 1 and text.endswith("took 10 s\x1b[K\n")
    assert text.startswith("\rworking: 20/100 (20%), 8 s left\x1b[K\r")
