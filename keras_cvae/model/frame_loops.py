"""The ways to apply a function to the frames of clips. Time is axis 1."""

from collections.abc import Callable
from typing import Any

from keras import ops, tree

from keras_cvae.backend.loops import scans_pay
from keras_cvae.backend.tensor import Tensor


def per_frame(network: Callable, *sequences: Tensor) -> Any:
    """Applies a network of images (n, ...) to all frames of sequences (B, T, ...) at once."""
    time = sequences[0].shape[1]
    outputs = network(*(ops.reshape(s, (-1, *s.shape[2:])) for s in sequences))

    def unfold(x):
        return ops.reshape(x, (-1, time, *x.shape[1:]))

    if isinstance(outputs, (list, tuple)):
        return [unfold(x) for x in outputs]
    return unfold(outputs)


def one_by_one(function: Callable, first: Any, *sequences: Tensor, unroll: bool = False) -> Any:
    """Applies a function to one time step of sequences after another.

    A scan on TensorFlow and JAX, which trace the function once, not once per time step.

    Args:
        function: takes what it returned for the time step before, and the time step of each
            sequence; returns a tensor, or a tuple or list of tensors.
        first: what it gets in place of its return value at the first time step, of the same shapes.
        *sequences: (B, T, ...) tensors.
        unroll: bool, trace the function once per time step.

    Returns:
        What it returned for each time step, (B, T, ...).
    """
    by_time = tuple(ops.swapaxes(x, 0, 1) for x in sequences)
    if unroll or not scans_pay():
        carry, outputs = first, []
        for t in range(by_time[0].shape[0]):
            carry = function(carry, *(x[t] for x in by_time))
            outputs.append(carry)
        return tree.map_structure(lambda *steps: ops.stack(steps, axis=1), *outputs)

    def step(carry, given):
        output = function(carry, *given)
        return output, output

    _, outputs = ops.scan(step, first, by_time)
    return tree.map_structure(lambda x: ops.swapaxes(x, 0, 1), outputs)


def in_groups(
    function: Callable,
    images_at_once: int | None,
    like: Any,
    *sequences: Tensor,
    unroll: bool = False,
) -> Any:
    """Applies a function of images to the frames of sequences, a group of time steps after another.

    On TensorFlow and JAX a group is one time step of a scan, which keeps one group in memory.
    (TensorFlow often does not know the size of a batch, and runs larger loops in parallel.)

    Args:
        function: of (n, ...) tensors, one of each sequence; returns a tensor, or a tuple or list of
            tensors.
        images_at_once: int, the largest number of images in a group of more than one time step;
            `None` puts all in one group.
        like: tensors of the shapes and the structure that it returns for one time step.
        *sequences: (B, T, ...) tensors.
        unroll: bool, trace the function once per group instead of as a scan.

    Returns:
        What it returned, for all frames: (B, T, ...).
    """
    if images_at_once is None:
        return per_frame(function, *sequences)
    if scans_pay() and not unroll:
        # Keras' scan on TensorFlow wants outputs of the structure of what goes round.
        return one_by_one(lambda _, *frames: function(*frames), like, *sequences)

    batch, time = sequences[0].shape[:2]
    steps = max(images_at_once // (batch or images_at_once), 1)
    if steps >= time:
        return per_frame(function, *sequences)
    groups = [
        per_frame(function, *(x[:, start : start + steps] for x in sequences))
        for start in range(0, time, steps)
    ]
    return tree.map_structure(lambda *parts: ops.concatenate(parts, axis=1), *groups)
