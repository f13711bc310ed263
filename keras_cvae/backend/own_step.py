"""A step without gradients inside a training step, for what a model feeds back to itself."""

from collections.abc import Callable, Sequence
from functools import lru_cache
from typing import Any

import keras
from keras import StatelessScope, ops

from keras_cvae.backend.tensor import Tensor

SHAPES_KEPT = 8  # recordings: whole batches, the last one of an epoch, videos to validate


class OwnStep:
    """A function of tensors without gradients, to be called in a loop.

    On torch it is recorded once for its shapes (see `recorded_step`).

    Args:
        function: takes tensors and returns one. It changes no state, draws nothing, and its
            control flow does not depend on values.
        variables: the Keras variables that it reads.
    """

    def __init__(self, function: Callable[..., Tensor], variables: Sequence[Any]):
        self._function = function
        self._variables = variables
        # Read here: in the call of a layer of lower precision, a variable's value is a copy.
        on_torch = keras.backend.backend() == "torch"
        self._values = [each.value for each in variables] if on_torch else []
        self._recorded = lru_cache(SHAPES_KEPT)(self._record)
        self._in_graphs: list[Any] = []  # whose memory a CUDA graph writes to

    def for_inputs(self, *inputs: Tensor) -> Callable[..., Tensor]:
        """The function with the present values of the variables.

        Args:
            *inputs: example tensors of the shapes and types of later calls.

        Returns:
            A function of such tensors that returns a tensor. Call it in the function that got it.
        """
        if keras.backend.backend() == "torch":
            return self._on_torch(inputs)
        # Constants already here: otherwise JAX differentiates the loop, and then drops the result.
        values = [ops.stop_gradient(ops.convert_to_tensor(each)) for each in self._variables]

        def constant(*inputs: Tensor) -> Tensor:
            with StatelessScope(state_mapping=list(zip(self._variables, values, strict=True))):
                return self._function(*inputs)

        return constant

    def _on_torch(self, inputs: Sequence[Tensor]) -> Callable[..., Tensor]:
        import torch

        if torch.compiler.is_compiling():  # which records by itself
            return self._without_gradients
        from keras_cvae.backend import replay

        step = self._recorded(*((tuple(x.shape), x.dtype, x.device) for x in inputs))
        if replay.recording() and step not in self._in_graphs:
            self._in_graphs.append(step)
        step.refresh()
        # A graph is recorded for one layout of its inputs as well.
        return lambda *inputs: step(*(x.contiguous() for x in inputs))

    def _without_gradients(self, *inputs: Tensor) -> Tensor:
        import torch

        with torch.no_grad():  # the decorator cannot be compiled
            return self._function(*inputs)

    def _record(self, *kinds: tuple) -> Any:
        import torch

        from keras_cvae.backend.recorded_step import RecordedStep

        inputs = [torch.empty(shape, dtype=dtype, device=device) for shape, dtype, device in kinds]
        return RecordedStep(self._function, self._variables, self._values, inputs)
