"""The type of a tensor of whichever backend runs."""

from typing import Any, TypeAlias

Tensor: TypeAlias = Any  # torch.Tensor, tf.Tensor or jax.Array; Keras has no common type for them
