"""Rematerialisation: activations are computed again for the gradient instead of being kept."""

from collections.abc import Callable, Sequence
from functools import partial
from typing import Any

import keras
from keras import StatelessScope, ops


def rematerialised(function: Callable, variables: Sequence[Any]) -> Callable:
    """A function whose activations are not kept between the forward and the backward pass.

    Args:
        function: takes tensors and returns tensors; it changes no state.
        variables: the Keras variables that it reads.

    Returns:
        A function of the same tensors. Call it in the function that made it: on TensorFlow it
        holds the values that the variables have there.
    """
    if keras.backend.backend() == "torch":
        from torch.utils.checkpoint import checkpoint

        # Nothing is sampled. Keras' own keeps the generators' states, which a GPU cannot record.
        return partial(checkpoint, function, use_reentrant=False, preserve_rng_state=False)
    if keras.backend.backend() == "jax":
        return keras.remat(function)

    # TensorFlow cannot read a variable in the gradient of a loop: its value is read here, outside
    # the loop, and goes in as a tensor.
    values = [ops.convert_to_tensor(variable) for variable in variables]

    def stateless(*arguments: Any) -> Any:
        given, inputs = arguments[: len(values)], arguments[len(values) :]
        with StatelessScope(state_mapping=list(zip(variables, given, strict=True))):
            return function(*inputs)

    recomputed = keras.remat(stateless)
    return lambda *inputs: recomputed(*values, *inputs)
