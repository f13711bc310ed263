"""What a data folder says about the settings that the user left open."""

from collections.abc import Mapping
from typing import Any

from keras_cvae.data.dance_layout import train_lengths
from keras_cvae.data.joints import has_joints, read_info
from keras_cvae.errors import UserError
from keras_cvae.training.config import DEFAULT_RECIPE
from keras_cvae.training.length import chosen_length, usable_frames


def settings_of_folder(values: Mapping[str, Any], given: Mapping[str, Any]) -> dict[str, Any]:
    """The settings of a new run that follow from its data folder. No image is opened.

    `frame_size` is that of the folder's `dataset.json`, where it has one. In the recommended recipe
    `batch_size` and `epochs` follow from the number of training frames (see
    `training.length`); one line says what was chosen.

    Args:
        values: all settings: the given ones, and the recipe's defaults. `data` is a folder.
        given: those that the user set.

    Returns:
        dict of settings that the user did not set. Frames that cannot be listed, or a setting
        that no training can have, leaves the defaults: reading the data says what is wrong.

    Raises:
        UserError: if the folder's `dataset.json` is damaged, and its frame size is needed.
    """
    found: dict[str, Any] = {}
    if "frame_size" not in given and (info := read_info(values["data"])):
        found["frame_size"] = info["frame_size"]
    if values["recipe"] != DEFAULT_RECIPE:
        return found
    try:
        return found | _length(values, given)
    except (UserError, OSError):
        return found


def _length(values: Mapping[str, Any], given: Mapping[str, Any]) -> dict[str, Any]:
    numbers = ("clip_length", "stride", "accumulate", "batch_size")
    if any(values[name] is not None and values[name] < 1 for name in numbers):
        return {}
    frames = usable_frames(train_lengths(values["data"]), values["clip_length"], values["partial"])
    if not frames:
        return {}
    mirrored = values["mirror"] and has_joints(values["data"])
    length = chosen_length(
        frames,
        values["clip_length"],
        values["stride"],
        values["accumulate"],
        mirrored=mirrored,
        batch_size=given.get("batch_size"),
    )
    chosen: dict[str, Any] = {}
    if "batch_size" not in given:
        chosen["batch_size"] = length.batch_size
    if "epochs" not in given and given.get("minutes") is None:
        chosen["epochs"] = length.epochs
    if chosen:
        words = {"batch_size": "batches of {}", "epochs": "{} epochs"}
        texts = ", ".join(words[name].format(value) for name, value in chosen.items())
        also = ", each also mirrored" if mirrored else ""
        print(f"{frames:,} training frames{also}: {texts}", flush=True)
    return chosen
