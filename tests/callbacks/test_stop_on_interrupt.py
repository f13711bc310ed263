import os
import signal
import threading
import time

import keras
import pytest

from keras_cvae.backend.process import Process
from keras_cvae.callbacks import StopOnInterrupt, stop_on_interrupt


class PressCtrlC(keras.callbacks.Callback):
    """Sends SIGINT at a moment, and notes what still happens after it."""

    def __init__(self, moment, at=0, times=1, asked=signal.SIGINT):
        super().__init__()
        self.asked = asked
        self.moment, self.at, self.times, self.events = moment, at, times, []

    def _happens(self, moment, number):
        self.events.append((moment, number))
        if (moment, number) == (self.moment, self.at):
            for _ in range(self.times):
                os.kill(os.getpid(), self.asked)

    def on_epoch_begin(self, epoch, logs=None):
        self._happens("epoch begins", epoch)

    def on_train_batch_begin(self, batch, logs=None):
        self._happens("batch begins", batch)

    def on_train_batch_end(self, batch, logs=None):
        self._happens("batch ends", batch)

    def on_epoch_end(self, epoch, logs=None):
        self._happens("epoch ends", epoch)


@pytest.fixture
def handler():
    """A SIGINT handler of the user's own, which is to be in place again afterwards."""

    def own(signum, frame):
        pytest.fail("the signal reached the handler that was there before")

    previous = signal.signal(signal.SIGINT, own)
    yield own
    signal.signal(signal.SIGINT, previous)


def fit(model, clips, *callbacks, epochs=2):
    model.fit(clips, epochs=epochs, verbose=0, callbacks=list(callbacks))


def test_several_processes_ask_each_other_in_their_main_threads(monkeypatch):
    assert StopOnInterrupt().async_safe
    monkeypatch.setattr(stop_on_interrupt, "process", lambda: Process(1, 2))
    assert not StopOnInterrupt().async_safe


def test_the_running_step_is_finished_and_no_other_begun(model, clips, handler, capsys):
    press = PressCtrlC("batch begins", at=1)
    with pytest.raises(KeyboardInterrupt):
        fit(model, clips, press, StopOnInterrupt())
    assert press.events[-1] == ("batch ends", 1)
    assert int(model.optimizer.iterations) == 2
    assert signal.getsignal(signal.SIGINT) is handler
    assert "after the running step" in capsys.readouterr().out


def test_a_second_ctrl_c_stops_inside_the_step(model, clips, handler):
    press = PressCtrlC("batch begins", at=1, times=2)
    with pytest.raises(KeyboardInterrupt):
        fit(model, clips, press, StopOnInterrupt())
    assert press.events[-1] == ("batch begins", 1)
    assert int(model.optimizer.iterations) == 1
    assert signal.getsignal(signal.SIGINT) is handler


def test_during_the_end_of_an_epoch_that_epoch_is_finished(model, clips, handler):
    press, after = PressCtrlC("epoch ends", at=0), PressCtrlC("never")
    with pytest.raises(KeyboardInterrupt):
        fit(model, clips, press, StopOnInterrupt(), after)
    assert after.events[-1] == ("epoch ends", 0)  # later callbacks saw the epoch's end
    assert int(model.optimizer.iterations) == 3


def test_during_the_end_of_the_last_epoch_it_is_not_lost(model, clips, handler):
    press, after = PressCtrlC("epoch ends", at=1), PressCtrlC("never")
    with pytest.raises(KeyboardInterrupt):
        fit(model, clips, press, StopOnInterrupt(), after)
    assert after.events[-1] == ("epoch ends", 1)
    assert signal.getsignal(signal.SIGINT) is handler


def test_a_fit_without_ctrl_c_gives_the_handler_back(model, clips, handler):
    during = []
    note = keras.callbacks.LambdaCallback(
        on_epoch_begin=lambda epoch, logs: during.append(signal.getsignal(signal.SIGINT))
    )
    fit(model, clips, StopOnInterrupt(), note, epochs=1)
    assert signal.getsignal(signal.SIGINT) is handler
    assert during[0] is not handler


def test_it_can_be_used_again(model, clips, handler):
    interrupt = StopOnInterrupt()
    with pytest.raises(KeyboardInterrupt):
        fit(model, clips, PressCtrlC("batch begins"), interrupt)
    fit(model, clips, interrupt, epochs=1)
    assert signal.getsignal(signal.SIGINT) is handler


def test_the_handler_can_be_given_back_after_an_error(model, clips, handler):
    class Fails(keras.callbacks.Callback):
        def on_epoch_end(self, epoch, logs=None):
            raise RuntimeError("full disk")

    interrupt = StopOnInterrupt()
    with pytest.raises(RuntimeError):
        fit(model, clips, interrupt, Fails())
    interrupt.restore_handler()
    assert signal.getsignal(signal.SIGINT) is handler


def test_outside_the_main_thread_fit_works_without_it(model, clips):
    problems = []

    def work():
        try:
            fit(model, clips, StopOnInterrupt(), epochs=1)
        except BaseException as error:
            problems.append(error)

    before = signal.getsignal(signal.SIGINT)
    thread = threading.Thread(target=work)
    thread.start()
    thread.join()
    assert not problems
    assert signal.getsignal(signal.SIGINT) is before


@pytest.mark.parametrize("asked", [signal.SIGTERM, signal.SIGHUP])
def test_other_signals_that_ask_to_stop_do_so_too(model, clips, asked):
    given = signal.signal(asked, signal.SIG_DFL)  # under nohup it would be ignored
    try:
        with pytest.raises(KeyboardInterrupt) as caught:
            fit(model, clips, PressCtrlC("batch begins", at=1, asked=asked), StopOnInterrupt())
        assert caught.value.exit_code == 128 + asked
        assert int(model.optimizer.iterations) == 2
        assert signal.getsignal(asked) is signal.SIG_DFL
    finally:
        signal.signal(asked, given)


def test_a_signal_that_is_ignored_stays_ignored(model, clips):
    previous = signal.signal(signal.SIGHUP, signal.SIG_IGN)
    try:
        press = PressCtrlC("batch begins", asked=signal.SIGHUP)
        fit(model, clips, press, StopOnInterrupt(), epochs=1)
        assert signal.getsignal(signal.SIGHUP) is signal.SIG_IGN
    finally:
        signal.signal(signal.SIGHUP, previous)


def test_a_long_end_of_an_epoch_is_not_waited_for(model, clips, handler, monkeypatch):
    """As the validation of 630 frames at the published widths, on a CPU."""
    monkeypatch.setattr("keras_cvae.callbacks.stop_on_interrupt.GRACE", 0.2)
    frames = []

    class Validates(keras.callbacks.Callback):
        def on_epoch_end(self, epoch, logs=None):
            os.kill(os.getpid(), signal.SIGTERM)
            for _ in range(500):
                frames.append(time.sleep(0.01))

    before = signal.getsignal(signal.SIGTERM)
    with pytest.raises(KeyboardInterrupt):
        fit(model, clips, StopOnInterrupt(), Validates())
    assert 5 < len(frames) < 400
    assert signal.getsignal(signal.SIGTERM) is before
