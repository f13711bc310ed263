"""Keras' data parallelism over the devices that JAX has."""

import jax
import keras


def spread() -> None:
    """Sets `keras.distribution.DataParallel` over all devices, if there are several.

    A distribution that is set already stays.
    """
    if keras.distribution.distribution() is None and len(jax.devices()) > 1:
        devices = keras.distribution.list_devices()
        keras.distribution.set_distribution(keras.distribution.DataParallel(devices=devices))
