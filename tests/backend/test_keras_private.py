"""Whether Keras still has what `keras_cvae.backend.keras_private` relies on.

A failure here says what moved. Look for its new place in Keras' source and change that module.
"""

import importlib

import keras
import pytest

from keras_cvae.backend import keras_private


def test_swap_ema_weights_has_its_parts():
    callback = keras.callbacks.SwapEMAWeights(swap_on_epoch=True)
    assert hasattr(callback, keras_private.EMA_WEIGHTS_IN_MODEL), (
        "SwapEMAWeights notes elsewhere whether the averaged weights are in the model: change "
        "EMA_WEIGHTS_IN_MODEL, or resumed runs with EMA swap the wrong weights"
    )
    assert hasattr(keras.callbacks.SwapEMAWeights, "_finalize_ema_values"), (
        "SwapEMAWeights finalises in another method: override that in AveragedWeights"
    )


@pytest.mark.skipif(keras.backend.backend() != "torch", reason="Keras swaps them on torch alone")
def test_torch_optimisers_are_where_they_were():
    module = keras.optimizers.Adam().__class__.__module__
    optimizer = keras.optimizers.Adam()
    names = {module, type(optimizer).__module__}
    assert any(name.startswith(keras_private.TORCH_OPTIMIZERS) for name in names), (
        f"torch optimisers are classes of {names} now: change TORCH_OPTIMIZERS, or .keras files "
        "saved on torch do not train elsewhere"
    )
    importlib.import_module(keras_private.TORCH_OPTIMIZERS)
