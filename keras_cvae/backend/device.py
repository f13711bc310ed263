"""The device that the backend computes on."""

import keras
from keras import ops


def on_gpu() -> bool:
    """Whether the backend computes on a GPU. It starts the backend's driver."""
    return _FINDERS[keras.backend.backend()](ops.zeros(()))[0] == "GPU"


def device_name() -> str:
    """The kind of the device that tensors are on, and its name where the backend tells it.

    It starts the backend's driver. Call it where computing begins.

    Returns:
        str, such as `"CPU"` or `"GPU (NVIDIA H100 80GB HBM3)"`.
    """
    kind, name = _FINDERS[keras.backend.backend()](ops.zeros(()))
    return f"{kind} ({name})" if name else kind


def _torch(tensor):
    import torch

    kind = tensor.device.type
    if kind == "cuda":
        return "GPU", torch.cuda.get_device_name(tensor.device)
    return kind.upper(), ""


def _tensorflow(tensor):
    import tensorflow as tf

    if "GPU" not in tensor.device:
        return "CPU", ""
    (device, *_) = tf.config.list_physical_devices("GPU")
    return "GPU", tf.config.experimental.get_device_details(device).get("device_name", "")


def _jax(tensor):
    (device, *_) = tensor.devices()
    return device.platform.upper(), "" if device.platform == "cpu" else device.device_kind


_FINDERS = {"torch": _torch, "tensorflow": _tensorflow, "jax": _jax}
