"""The check of what a user gives `fit`, `evaluate`, `predict` and so on, before anything is run."""

import itertools
from collections.abc import Iterator, Mapping
from typing import Any

import keras
import numpy as np

from keras_cvae.backend.batch_share import check_divides, parts_of_batch
from keras_cvae.errors import UserError
from keras_cvae.images import check_range
from keras_cvae.model.rollout import check_clip

_EXPECTED = (
    "expected a dict of 'frames' and 'poses', arrays (N, T, H, W, 3), or a data set of such batches"
)


def checked(data: Any) -> Any:
    """Checks input of the model: arrays as a whole, of a data set the first batch.

    A range of [0, 255] in floats or a NaN would train to a wrong model without a word. After the
    first batch of a data set nothing is checked, so that a step costs no more.

    Args:
        data: dict of `"frames"` and `"poses"`, (N, T, H, W, 3), uint8 or floats in [0, 1]; or a
            `PyDataset`, `tf.data.Dataset`, `DataLoader` or generator of such batches.

    Returns:
        The same data, without the tuple of `(data,)`. Of a generator, a new one that begins with
        the batch that was looked at.

    Raises:
        UserError: for wrong keys, shapes, number types or ranges, and for what Keras would not take
            as a data set.
    """
    if isinstance(data, tuple | list) and data and not any(x is not None for x in data[1:]):
        data = data[0]  # as Keras takes validation data
    if data is None:  # Keras says what it thinks of that
        return None
    if isinstance(data, tuple | list):
        raise UserError(
            f"The model got a {type(data).__name__} of {len(data)}, which Keras takes for several "
            f"inputs or targets; {_EXPECTED}."
        )
    if isinstance(data, Mapping):
        check_batch(data)
    elif isinstance(data, keras.utils.PyDataset):
        check_batch(_inputs(data[0]))
    elif isinstance(data, Iterator):
        if (first := next(data, None)) is not None:
            check_batch(_inputs(first))
            return _with(first, data)
    elif hasattr(data, "__iter__") and not hasattr(data, "shape"):
        if (first := next(iter(data), None)) is not None:
            check_batch(_inputs(first))
            _check_loader(data, first)
    else:
        raise UserError(f"The model got {_described(data)}; {_EXPECTED}.")
    return data


def check_shared(data: Any, model: Any) -> None:
    """Checks data that several processes or devices train on together.

    Each batch must have equal parts. Where there are several processes, each needs its own part.

    Args:
        data: of `fit`, `evaluate` or `predict`.
        model: the `keras.Model`.

    Raises:
        UserError: if they are no `keras_cvae.data.Clips`, or its batches cannot be divided.
    """
    parts = parts_of_batch(model)
    if parts == 1 or data is None:
        return
    if not getattr(data, "has_parts", False):
        raise UserError(
            f"{parts} processes or devices share each batch, and the model got "
            f"{_described(data)}, whose batches may not have equal parts. Give "
            "keras_cvae.data.Clips."
        )
    check_divides(data.batch_size, parts)


def check_batch(batch: Any) -> None:
    """Checks the arrays of one batch, or of a whole set of clips.

    Args:
        batch: dict of `"frames"` and `"poses"`, as for `checked`.

    Raises:
        UserError: for wrong keys, shapes, number types or ranges.
    """
    if not isinstance(batch, Mapping) or not {"frames", "poses"} <= set(batch):
        raise UserError(f"The model got {_described(batch)}; {_EXPECTED}.")
    frames, poses = batch["frames"], batch["poses"]
    if not (hasattr(frames, "shape") and hasattr(poses, "shape")):
        frames, poses = np.asarray(frames), np.asarray(poses)
    check_clip(tuple(frames.shape), tuple(poses.shape))
    for name, images in (("frames", frames), ("poses", poses)):
        if "uint8" in str(images.dtype):  # any value is right
            continue
        array = _array(images)
        if array is not None:
            check_range(array, name)


def _array(images: Any) -> np.ndarray | None:
    """An array or tensor as an array, `None` of one that has no values while a graph is traced."""
    if isinstance(images, np.ndarray):
        return images
    try:
        return keras.ops.convert_to_numpy(images)
    except Exception:  # each backend raises its own types of errors
        return None


def _check_loader(data: Any, first: Any) -> None:
    """Refuses what Keras makes a tuple of keys from: a dict of a `DataLoader`, except on torch."""
    backend = keras.backend.backend()
    if (
        backend != "torch"
        and isinstance(first, Mapping)
        and type(data).__module__.startswith("torch.")
    ):
        raise UserError(
            f"On {backend}, Keras expects a DataLoader's batch in a tuple, and got a dict: let its "
            "collate_fn return ({'frames': ..., 'poses': ...},)."
        )


def _with(first: Any, rest: Iterator) -> Iterator:
    # A generator, because Keras knows no other iterator; of tuples, because it takes no dict of it.
    for batch in itertools.chain([first], rest):
        yield (batch,) if isinstance(batch, Mapping) else batch


def _inputs(batch: Any) -> Any:
    """The inputs of a batch, which may come with targets: the step refuses those."""
    return batch[0] if isinstance(batch, tuple | list) and batch else batch


def _described(data: Any) -> str:
    if isinstance(data, Mapping):
        return f"a dict of {', '.join(map(repr, data)) or 'nothing'}"
    return f"a {type(data).__name__}" + (f" {data.shape}" if hasattr(data, "shape") else "")
