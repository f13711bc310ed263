"""The type of a tensor of the backend that Keras runs on."""

from typing import Any, TypeAlias

Tensor: TypeAlias = Any  # torch.Tensor, tf.Tensor or jax.Array; Keras has no common type for them
