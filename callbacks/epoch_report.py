"""A line per epoch, and while it runs, for people who watch."""

import sys
import time

import keras

from keras_cvae.progress import duration

_EVERY = 0.5  # seconds between updates within an epoch, on a terminal


class EpochReport(keras.callbacks.Callback):
    """Prints what each epoch gave and when training will be done; use it with `fit(verbose=0)`.

    On a terminal the running epoch shows its batch, its loss so far and the time left. Place it
    after the callbacks whose values it is to show.

    Args:
        columns: names of the values to print, where the logs have them.

    Example:

    ```python
    model.fit(clips, epochs=50, verbose=0, callbacks=[ValidationPSNR(val), EpochReport()])
    ```
    """

    async_safe = True  # on a terminal it reads the loss twice a second, else never within an epoch

    def __init__(self, columns=("loss", "mse", "kl", "beta", "tfr", "val_psnr")):
        super().__init__()
        self.columns = columns
        self._terminal = sys.stdout.isatty()

    def on_train_begin(self, logs=None):
        self._started = time.monotonic()
        self._first = None

    def on_epoch_begin(self, epoch, logs=None):
        self._first = epoch if self._first is None else self._first
        self._epoch = epoch
        self._epoch_started = self._shown = time.monotonic()

    def on_train_batch_end(self, batch, logs=None):
        now = time.monotonic()
        if not self._terminal or now - self._shown < _EVERY:
            return
        self._shown = now
        steps = self.params["steps"] or batch + 1
        line = f"{self._head()}  batch {batch + 1}/{steps}  loss {float(logs['loss']):.5f}"
        print(f"\r{line}  {self._left((batch + 1) / steps)}\x1b[K", end="", flush=True)

    def on_epoch_end(self, epoch, logs=None):
        parts = [self._head()]
        for name in self.columns:
            if name in (logs or {}):
                unit = " dB" if name.endswith("psnr") else ""
                shown = ".2f" if unit or name == "tfr" else ".5f"
                shown = ".3g" if name == "beta" else shown  # of the size of 0.001 or of 1
                parts.append(f"{name} {float(logs[name]):{shown}}{unit}")
        parts.append(f"{time.monotonic() - self._epoch_started:.1f} s")
        parts.append(self._left(1.0))
        print(("\r\x1b[K" if self._terminal else "") + "  ".join(parts), flush=True)

    def _head(self):
        epochs = self.params["epochs"]
        return f"epoch {self._epoch + 1:{len(str(epochs))}d}/{epochs}"

    def _left(self, share):
        """The time left when `share` of the running epoch is done."""
        done = self._epoch - self._first + share
        left = self.params["epochs"] - self._first - done
        return f"{duration((time.monotonic() - self._started) * left / done)} left"
