"""TensorFlow's MirroredStrategy over the devices of a machine."""

import tensorflow as tf


def mirror() -> None:
    """Makes a MirroredStrategy the strategy of this process, if there are several devices.

    The devices are the GPUs; without a GPU, the logical CPUs that were configured. A strategy that
    is set already stays.
    """
    if tf.distribute.has_strategy():
        return
    devices = tf.config.list_logical_devices("GPU") or tf.config.list_logical_devices("CPU")
    if len(devices) > 1:
        strategy = tf.distribute.MirroredStrategy([device.name for device in devices])
        tf.distribute.experimental_set_strategy(strategy)
