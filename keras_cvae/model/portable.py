"""Compile configurations that load on every backend."""

_TORCH_OPTIMIZERS = "keras.src.backend.torch.optimizers"


def portable(config):
    """Replaces Keras' torch optimisers in a serialised configuration by the public ones.

    On torch, Keras swaps an optimiser's class for one of its torch backend and writes that class
    into the `.keras` file, which then neither trains nor, without torch, loads elsewhere.

    Args:
        config: a serialised object: dicts, lists and plain values.

    Returns:
        A copy that names `keras.optimizers` instead.
    """
    if isinstance(config, dict):
        config = {key: portable(value) for key, value in config.items()}
        if str(config.get("module", "")).startswith(_TORCH_OPTIMIZERS):
            config["module"] = "keras.optimizers"
            config["registered_name"] = None
        return config
    if isinstance(config, (list, tuple)):
        return [portable(value) for value in config]
    return config
