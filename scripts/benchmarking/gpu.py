"""The GPU of a worker: whether it is there, its memory, and the end of what it computes."""

from keras_cvae.backend.gpus import gpu_count


def found(backend: str) -> str | None:
    """The name of the GPU that Keras computes on with the backend that runs, or `None`."""
    if gpu_count(backend) == 0:
        return None
    from keras_cvae.backend.device import device_name

    kind, _, name = device_name().partition(" ")
    return name.strip("()") or kind if kind != "CPU" else None


def synchronize(backend: str) -> None:
    """Waits until the GPU has computed all that it was given."""
    if backend == "torch":
        import torch

        torch.cuda.synchronize()
    elif backend == "tensorflow":
        import tensorflow as tf

        tf.test.experimental.sync_devices()
    else:
        import jax

        # A GPU computes in the order in which it was asked.
        (jax.device_put(0.0) + 1).block_until_ready()


def restart_peak(backend: str) -> None:
    """Lets the peak of the memory count from here, where the backend can."""
    if backend == "torch":
        import torch

        torch.cuda.reset_peak_memory_stats()
    elif backend == "tensorflow":
        import tensorflow as tf

        tf.config.experimental.reset_memory_stats("GPU:0")


def memory_mb(backend: str) -> tuple[float | None, float | None]:
    """What the process's arrays take of the GPU's memory, now and at the peak, in MB.

    Memory that the backend holds without an array in it, and the driver's own, do not count. It is
    `None` where the backend does not say.
    """
    if backend == "torch":
        import torch

        taken = torch.cuda.memory_allocated(), torch.cuda.max_memory_allocated()
    elif backend == "tensorflow":
        import tensorflow as tf

        stats = tf.config.experimental.get_memory_info("GPU:0")
        taken = stats["current"], stats["peak"]
    else:
        import jax

        stats = jax.devices()[0].memory_stats()
        if stats is None:
            return None, None
        taken = stats["bytes_in_use"], stats["peak_bytes_in_use"]
    now, peak = (value / 2**20 for value in taken)
    return now, peak
