"""Ctrl-C, SIGTERM and SIGHUP end training between two steps instead of inside one."""

import contextlib
import signal
import threading
from typing import Any

import keras

from keras_cvae import signals
from keras_cvae.backend.exchange import largest
from keras_cvae.backend.process import process

GRACE = 15.0  # seconds to finish a step or the end of an epoch: batch systems kill after about 30


class StopOnInterrupt(keras.callbacks.Callback):
    """Turns Ctrl-C, SIGTERM and SIGHUP into a `KeyboardInterrupt` after the running step.

    The exception leaves `fit` right after that step: the unfinished epoch is not validated, logged
    or saved. Between two epochs, and after the last, the finished epoch is validated, logged and
    saved first, if that takes at most 15 seconds; else it stops after the running frame (on
    TensorFlow and JAX after the running piece of frames), and the epoch is lost. A second signal
    interrupts immediately. A signal that is ignored, such as SIGHUP under nohup, stays ignored.
    Outside the main thread, where signals cannot be handled, this callback does nothing. Give it to
    all of several processes that train together: they stop after the same step.

    Example:

    ```python
    try:
        model.fit(clips, epochs=50, callbacks=[StopOnInterrupt()])
    except KeyboardInterrupt:
        print("stopped")
    ```
    """

    def __init__(self) -> None:
        super().__init__()
        self._asked: int | None = None  # the signal
        self._previous: dict[int, Any] = {}  # the handlers that were set before
        self._timer: threading.Timer | None = None

    @property
    def async_safe(self) -> bool:
        """Keras' question whether steps need not wait for it: it reads no logs.

        Several processes ask each other in their main threads, in the order of their steps.
        """
        return process().world_size == 1

    def on_train_begin(self, logs: dict | None = None) -> None:
        self._asked = None
        if threading.current_thread() is threading.main_thread():
            self._previous = signals.handle(self._handle)

    def on_epoch_begin(self, epoch: int, logs: dict | None = None) -> None:
        self._stop_if_asked()

    def on_train_batch_end(self, batch: int, logs: dict | None = None) -> None:
        self._stop_if_asked()

    def on_train_end(self, logs: dict | None = None) -> None:
        self.restore_handler()
        self._stop_if_asked()

    def restore_handler(self) -> None:
        """Restores the previous handlers. Call it when an exception has left `fit`."""
        if self._timer is not None:
            self._timer.cancel()
        previous, self._previous = self._previous, {}
        with contextlib.suppress(ValueError):  # not in the main thread
            signals.restore(previous)

    def _handle(self, signum: int, frame: Any) -> None:
        if self._asked is not None:
            self._stop(self._asked)
        self._asked = signum
        # The timer sends the second signal, which interrupts at once.
        self._timer = threading.Timer(GRACE, signal.raise_signal, (signum,))
        self._timer.daemon = True
        self._timer.start()
        if process().first:
            text = "stopping after the running step; press Ctrl-C again to stop at once"
            print(f"\n{text}", flush=True)

    def _stop_if_asked(self) -> None:
        asked = largest(self._asked or 0)  # of all processes, so that they stop after one step
        if asked:
            self._stop(asked)

    def _stop(self, signum: int) -> None:
        self.restore_handler()
        raise signals.Stopped(signum)
