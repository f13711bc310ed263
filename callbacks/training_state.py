"""The whole state of a training in one file: a resumed run is identical to an uninterrupted one."""

import json
import math
import os
import zipfile
from collections.abc import Callable, Sequence
from typing import Any

import keras

from keras_cvae.backend.keras_private import EMA_WEIGHTS_IN_MODEL
from keras_cvae.backend.process import process
from keras_cvae.data.clips import Clips
from keras_cvae.errors import UserError
from keras_cvae.files import parse_json, read_member, written_whole

_MEMBER = "training_state.json"

# The attributes that Keras' own callbacks keep from epoch to epoch.
_CARRIED = {
    keras.callbacks.ModelCheckpoint: ("best",),
    keras.callbacks.EarlyStopping: ("best", "best_epoch", "wait", "stopped_epoch"),
    keras.callbacks.ReduceLROnPlateau: ("best", "wait", "cooldown_counter"),
    keras.callbacks.SwapEMAWeights: (EMA_WEIGHTS_IN_MODEL,),
}


class TrainingState(keras.callbacks.Callback):
    """Saves the whole state of training after every epoch, and restores that of the callbacks.

    The file is the model as Keras saves it (with weights, optimiser, beta, teacher-forcing ratio
    and random state) and one more member: the number of finished epochs, the history, and the state
    of other callbacks. It is written whole or not at all: a process that is killed at any moment
    leaves the state after a whole epoch. An epoch whose loss is not finite is not saved.

    Keras' `BackupAndRestore` keeps neither random state nor data order nor the state of callbacks.

    Of several processes that train together the first writes; all restore.

    Place it last. Then the logs are complete, and the other callbacks have begun when it restores
    their state.

    Args:
        path: the `.keras` file to write.
        data: the `Clips` that is trained on, whose `epoch` is set at each epoch's beginning; or
            `None`. Call `fit(..., shuffle=False)`: Keras' own shuffling has no state to save.
        callbacks: callbacks to save and restore: Keras' `ModelCheckpoint`, `EarlyStopping`,
            `ReduceLROnPlateau`, `SwapEMAWeights`. Others have no state and are ignored.
        restored: what `read_training_state` returns, or `None` for a new run.
        on_saved: function of the history (a list of rows) called after each save, or `None`.

    Attributes:
        history: list of dicts, one row per finished epoch: `epoch` from 1, its logs, and `lr`, the
            learning rate at its end.

    Example:

    ```python
    state = TrainingState("last.keras", data=clips)
    model.fit(clips, epochs=50, shuffle=False, callbacks=[..., state])
    # Later, in another process:
    model = keras_cvae.load_model("last.keras")
    saved = read_training_state("last.keras")
    state = TrainingState("last.keras", data=clips, restored=saved)
    model.fit(clips, initial_epoch=saved["epoch"], epochs=50, shuffle=False, callbacks=[..., state])
    ```
    """

    def __init__(
        self,
        path: str | os.PathLike,
        data: Clips | None = None,
        callbacks: Sequence[keras.callbacks.Callback] = (),
        restored: dict[str, Any] | None = None,
        on_saved: Callable[[list[dict]], object] | None = None,
    ):
        super().__init__()
        self.path = path
        self.data = data
        self.kept = {f"{i}-{type(c).__name__}": c for i, c in enumerate(callbacks) if _carried(c)}
        self.restored = restored
        self.on_saved = on_saved
        self.history: list[dict] = list(restored["history"]) if restored else []

    def on_train_begin(self, logs: dict | None = None) -> None:
        # After the others' on_train_begin, in which some of them reset their state.
        for name, values in (self.restored or {}).get("callbacks", {}).items():
            # By its number and what it carries: another version may call the class otherwise.
            numbers = {own.partition("-")[0]: each for own, each in self.kept.items()}
            callback = numbers.get(name.partition("-")[0])
            if callback is None or set(_carried(callback)) != set(values):
                raise UserError(
                    f"The saved state has a callback {name} with {', '.join(values)}, and the "
                    f"callbacks here are {', '.join(self.kept) or 'none'}. Give the same callbacks "
                    "in the same order as when it was saved."
                )
            for attribute, value in values.items():
                setattr(callback, attribute, value)

    def on_epoch_begin(self, epoch: int, logs: dict | None = None) -> None:
        if self.data is not None:
            self.data.epoch = epoch

    def on_epoch_end(self, epoch: int, logs: dict | None = None) -> None:
        logs = logs or {}
        if not math.isfinite(logs.get("loss", 0.0)):
            return
        rate = float(keras.ops.convert_to_numpy(self.model.optimizer.learning_rate))
        row = {key: float(value) for key, value in logs.items()}
        self.history.append({"epoch": epoch + 1, **row, "lr": rate})
        state = {
            "epoch": epoch + 1,
            "history": self.history,
            "callbacks": {
                name: {
                    attribute: _plain(getattr(callback, attribute))
                    for attribute in _carried(callback)
                }
                for name, callback in self.kept.items()
            },
        }
        if not process().first:
            return
        with written_whole(self.path) as partial:
            self.model.save(partial)
            with zipfile.ZipFile(partial, "a") as archive:
                archive.writestr(_MEMBER, json.dumps(state))
        if self.on_saved is not None:
            self.on_saved(self.history)


def read_training_state(path: str | os.PathLike) -> dict[str, Any]:
    """Reads what `TrainingState` added to a model's file.

    Args:
        path: the `.keras` file.

    Returns:
        dict of `epoch` (the number of finished epochs), `history` and `callbacks`.

    Raises:
        UserError: if the file is damaged, or holds no training state.
    """
    advice = "Resume from the file that TrainingState wrote (last.keras in a run folder)."
    try:
        state = parse_json(read_member(path, _MEMBER), f"The training state in {path}")
    except UserError as error:
        raise UserError(f"{path} holds no training state. {error} {advice}") from error
    if wrong := _fault(state):
        raise UserError(f"The training state in {path} is wrong: {wrong}. {advice}")
    return state


def _fault(state: Any) -> str | None:
    """What is wrong with a training state from a file, or `None`."""
    if not isinstance(state, dict):
        return "it is no object"
    epoch, history, callbacks = (state.get(key) for key in ("epoch", "history", "callbacks"))
    if not isinstance(history, list) or not all(_is_row(row) for row in history):
        return "its history is no list of rows of numbers"
    if type(epoch) is not int or epoch < max(len(history), 1):
        return f"its epoch is {epoch!r}, and its history has {len(history)} rows"
    if not isinstance(callbacks, dict) or not all(isinstance(v, dict) for v in callbacks.values()):
        return "its callbacks are no objects"
    values = [value for each in callbacks.values() for value in each.values()]
    if not all(value is None or isinstance(value, (bool, int, float, str)) for value in values):
        return "its callbacks have values that are none"
    return None


def _is_row(row: Any) -> bool:
    return (
        isinstance(row, dict)
        and "epoch" in row
        and all(type(value) in (int, float) for value in row.values())
    )


def _carried(callback: keras.callbacks.Callback) -> list[str]:
    """Names of the attributes that a callback keeps from epoch to epoch."""
    return [a for kind, names in _CARRIED.items() if isinstance(callback, kind) for a in names]


def _plain(value: Any) -> bool | int | float | str | None:
    """A callback's attribute as a JSON value."""
    if value is None or isinstance(value, (bool, int, str)):
        return value
    return float(value)
