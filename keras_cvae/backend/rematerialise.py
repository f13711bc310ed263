"""Rematerialisation: activations are computed anew for the gradient instead of being kept."""

import keras
from keras import StatelessScope, ops


def rematerialised(function, variables):
    """A function whose activations are not kept between the forward and the backward pass.

    Args:
        function: takes tensors and returns tensors; it changes no state.
        variables: list of the Keras variables that it reads.

    Returns:
        A function of the same tensors. Call it inside what made it: on TensorFlow it holds the
        variables' values at this place.
    """
    if keras.backend.backend() != "tensorflow":
        return keras.remat(function)

    # TensorFlow cannot reach a variable from the gradient of a loop: values go in as tensors, read
    # here, outside the loop.
    values = [ops.convert_to_tensor(variable) for variable in variables]

    def stateless(*arguments):
        given, inputs = arguments[: len(values)], arguments[len(values) :]
        with StatelessScope(state_mapping=list(zip(variables, given, strict=True))):
            return function(*inputs)

    recomputed = keras.remat(stateless)
    return lambda *inputs: recomputed(*values, *inputs)
