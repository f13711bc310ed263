"""Ctrl-C ends training between two steps instead of inside one."""

import contextlib
import signal
import threading
from typing import Any

import keras


class StopOnInterrupt(keras.callbacks.Callback):
    """Turns Ctrl-C (SIGINT) into a `KeyboardInterrupt` after the running step.

    The exception leaves `fit` right after that step: the unfinished epoch is not validated, logged
    or saved. Between two epochs, and after the last, the finished epoch is validated, logged and
    saved first. A second Ctrl-C interrupts immediately. Outside the main thread, where signals
    cannot be handled, this callback does nothing.

    Example:

    ```python
    try:
        model.fit(clips, epochs=50, callbacks=[StopOnInterrupt()])
    except KeyboardInterrupt:
        print("stopped")
    ```
    """

    async_safe = True  # it reads no logs, so steps need not wait for it

    def __init__(self) -> None:
        super().__init__()
        self._asked = False
        self._previous: Any = None  # the handler that was set before

    def on_train_begin(self, logs: dict | None = None) -> None:
        self._asked = False
        if threading.current_thread() is threading.main_thread():
            self._previous = signal.signal(signal.SIGINT, self._handle)

    def on_epoch_begin(self, epoch: int, logs: dict | None = None) -> None:
        self._stop_if_asked()

    def on_train_batch_end(self, batch: int, logs: dict | None = None) -> None:
        self._stop_if_asked()

    def on_train_end(self, logs: dict | None = None) -> None:
        self.restore_handler()
        self._stop_if_asked()

    def restore_handler(self) -> None:
        """Restores the previous handler of SIGINT. Call it when an exception has left `fit`."""
        if self._previous is not None:
            with contextlib.suppress(ValueError):  # not in the main thread
                signal.signal(signal.SIGINT, self._previous)
            self._previous = None

    def _handle(self, signum: int, frame: Any) -> None:
        if self._asked:
            self.restore_handler()
            raise KeyboardInterrupt
        self._asked = True
        print("\nstopping after the running step; press Ctrl-C again to stop at once", flush=True)

    def _stop_if_asked(self) -> None:
        if self._asked:
            self.restore_handler()
            raise KeyboardInterrupt
