"""The device that the backend computes on."""

import keras


def device_name() -> str:
    """The kind of the device and its name, for people, such as `"GPU (NVIDIA H100 80GB HBM3)"`.

    It starts the backend's driver. Call it where computing begins.

    Returns:
        str; `"CPU"` without a name.
    """
    kind, name = _FINDERS[keras.backend.backend()]()
    return f"{kind} ({name})" if name else kind


def _torch() -> tuple[str, str]:
    import torch

    if torch.cuda.is_available():
        return "GPU", torch.cuda.get_device_name()
    return ("GPU", "Apple Metal") if torch.backends.mps.is_available() else ("CPU", "")


def _tensorflow() -> tuple[str, str]:
    import tensorflow as tf

    devices = tf.config.list_physical_devices("GPU")
    if not devices:
        return "CPU", ""
    return "GPU", tf.config.experimental.get_device_details(devices[0]).get("device_name", "")


def _jax() -> tuple[str, str]:
    import jax

    device = jax.devices()[0]
    return device.platform.upper(), "" if device.platform == "cpu" else device.device_kind


_FINDERS = {"torch": _torch, "tensorflow": _tensorflow, "jax": _jax}
