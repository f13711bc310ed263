"""A model's step as a fast function of NumPy arrays."""

from collections.abc import Callable, Sequence
from typing import Any

import keras
import numpy as np
from keras import ops

from keras_cvae.backend.own_step import OwnStep


class NumpyStep:
    """Calls a model with arrays in place of its dict of inputs.

    On torch the step is recorded once for the shapes (see `own_step`). On other backends
    Keras compiles it.

    Args:
        model: a built `keras.Model` that takes a dict of float32 inputs, returns one tensor, and
            has no random state.
        names: the names of its inputs, in the order of the arrays.
    """

    def __init__(self, model: keras.Model, names: Sequence[str]):
        self._model = model
        self._names = names
        self._step = OwnStep(lambda *values: model(self._named(values)), model.variables)

    def for_shapes(self, *shapes: tuple) -> Callable[..., np.ndarray]:
        """The step for inputs of these shapes, with the present weights.

        Args:
            *shapes: the shape of each input, with the batch size.

        Returns:
            A function of one float32 array per input that returns a float32 array.
        """
        if keras.backend.backend() != "torch":
            return lambda *arrays: self._model.predict_on_batch(self._named(arrays))
        step = self._step.for_inputs(*(ops.zeros(shape, "float32") for shape in shapes))
        return lambda *arrays: ops.convert_to_numpy(step(*map(ops.convert_to_tensor, arrays)))

    def _named(self, values: Sequence[Any]) -> dict[str, Any]:
        return dict(zip(self._names, values, strict=True))
