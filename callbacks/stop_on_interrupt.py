"""Ctrl-C ends training between two steps instead of inside one."""

import contextlib
import signal
import threading

import keras


class StopOnInterrupt(keras.callbacks.Callback):
    """Turns Ctrl-C (SIGINT) into a `KeyboardInterrupt` after the running step.

    `fit` is left at once after that step: the unfinished epoch is not validated, logged or saved.
    Between two epochs, after the last one too, what belongs to the finished epoch is done first.
    A second Ctrl-C interrupts immediately. Outside the main thread, where signals cannot be
    handled, it does nothing.

    Example:

    ```python
    try:
        model.fit(clips, epochs=50, callbacks=[StopOnInterrupt()])
    except KeyboardInterrupt:
        print("stopped")
    ```
    """

    async_safe = True  # looks at no logs: steps need not wait for it

    def __init__(self):
        super().__init__()
        self._asked = False
        self._previous = None

    def on_train_begin(self, logs=None):
        self._asked = False
        if threading.current_thread() is threading.main_thread():
            self._previous = signal.signal(signal.SIGINT, self._handle)

    def on_epoch_begin(self, epoch, logs=None):
        self._stop_if_asked()

    def on_train_batch_end(self, batch, logs=None):
        self._stop_if_asked()

    def on_train_end(self, logs=None):
        self.restore_handler()
        self._stop_if_asked()

    def restore_handler(self):
        """Gives SIGINT back to whoever had it; call it where `fit` was left by an exception."""
        if self._previous is not None:
            with contextlib.suppress(ValueError):  # not in the main thread
                signal.signal(signal.SIGINT, self._previous)
            self._previous = None

    def _handle(self, signum, frame):
        if self._asked:
            self.restore_handler()
            raise KeyboardInterrupt
        self._asked = True
        print("\nstopping after the running step; press Ctrl-C again to stop at once", flush=True)

    def _stop_if_asked(self):
        if self._asked:
            self.restore_handler()
            raise KeyboardInterrupt
