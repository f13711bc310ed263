"""One printed line per epoch, which shows the running epoch on a terminal."""

import sys
import time
from collections.abc import Sequence

import keras

from keras_cvae.backend.process import process
from keras_cvae.progress import duration

_EVERY = 0.5  # seconds between updates within an epoch, on a terminal


class EpochReport(keras.callbacks.Callback):
    """Prints the values of each epoch and the time left; use it with `fit(verbose=0)`.

    On a terminal it also shows the running epoch: the batch, the mean loss and the time left. Place
    it after the callbacks whose values it shows.

    Args:
        columns: names of the values to print. Those that the logs do not have are left out.

    Example:

    ```python
    model.fit(clips, epochs=50, verbose=0, callbacks=[ValidationPSNR(val), EpochReport()])
    ```
    """

    async_safe = True  # within an epoch it reads the loss on a terminal alone, twice a second

    def __init__(self, columns: Sequence[str] = ("loss", "mse", "kl", "beta", "tfr", "val_psnr")):
        super().__init__()
        self.columns = columns
        self._terminal = sys.stdout.isatty()

    def on_train_begin(self, logs: dict | None = None) -> None:
        self._silent = not process().first  # of several that train together
        self._started = time.monotonic()
        self._first = -1  # no epoch yet

    def on_epoch_begin(self, epoch: int, logs: dict | None = None) -> None:
        self._first = epoch if self._first < 0 else self._first
        self._epoch = epoch
        self._epoch_started = self._shown = time.monotonic()

    def on_train_batch_end(self, batch: int, logs: dict | None = None) -> None:
        now = time.monotonic()
        if self._silent or not self._terminal or now - self._shown < _EVERY:
            return
        self._shown = now
        steps = self.params["steps"] or batch + 1
        line = f"{self._head()}  batch {batch + 1}/{steps}  loss {float((logs or {})['loss']):.5f}"
        print(f"\r{line}  {self._left((batch + 1) / steps)}\x1b[K", end="", flush=True)

    def on_epoch_end(self, epoch: int, logs: dict | None = None) -> None:
        if self._silent:
            return
        parts, logs = [self._head()], logs or {}
        for name in self.columns:
            if name in logs:
                unit = " dB" if name.endswith("psnr") else ""
                shown = ".2f" if unit or name == "tfr" else ".5f"
                shown = ".3g" if name == "beta" else shown  # from about 0.001 to 1
                parts.append(f"{name} {float(logs[name]):{shown}}{unit}")
        parts.append(f"{time.monotonic() - self._epoch_started:.1f} s")
        parts.append(self._left(1.0))
        print(("\r\x1b[K" if self._terminal else "") + "  ".join(parts), flush=True)

    def _head(self) -> str:
        epochs = self.params["epochs"]
        return f"epoch {self._epoch + 1:{len(str(epochs))}d}/{epochs}"

    def _left(self, share: float) -> str:
        """The time left when `share` of the running epoch is done."""
        done = self._epoch - self._first + share
        left = self.params["epochs"] - self._first - done
        return f"{duration((time.monotonic() - self._started) * left / done)} left"
