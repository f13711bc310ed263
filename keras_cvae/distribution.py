"""Training on several devices or processes, by the engine of the backend that runs.

One call, `start()`, before the model is made; then `model.fit` as always. The engines are
torch.distributed with one process a device, as torchrun starts them; TensorFlow's MirroredStrategy;
and `keras.distribution.DataParallel` on JAX. A batch is the global one: each process or device has
an equal part of it, and the result is that of one device.
"""

import os

from keras_cvae.backend.exchange import first_alone, largest, leave, share, wait
from keras_cvae.backend.process import Process, launched, process
from keras_cvae.errors import UserError

__all__ = [
    "Process",
    "first_alone",
    "largest",
    "launched",
    "leave",
    "process",
    "share",
    "start",
    "wait",
]


def start() -> Process:
    """Trains on all devices, or with all processes, from here on. Call it before a model is made.

    - torch: under torchrun it joins the processes. Otherwise it does nothing.
    - TensorFlow: a MirroredStrategy over the GPUs of the machine, or its logical CPUs, if there are
      several.
    - JAX: `keras.distribution.DataParallel` over the devices, if there are several: those of the
      machine, or of all processes where `keras.distribution.initialize` was called. A distribution
      that is set already stays.

    Returns:
        `Process`: which process this is, of how many.

    Raises:
        UserError: if several processes were started for a backend that they are not for.

    Example:

    ```python
    keras_cvae.distribution.start()
    model = keras_cvae.CVAE.from_preset("multiscale")
    model.compile(keras.optimizers.Adam(1e-3, global_clipnorm=1.0))
    model.fit(keras_cvae.data.Clips((frames, poses), batch_size=32), epochs=20)
    ```
    """
    import keras

    backend = keras.backend.backend()
    check_launcher(backend)
    if backend == "torch":
        if launched().world_size > 1:
            from keras_cvae.backend.exchange_torch import join_group

            join_group()
    elif backend == "tensorflow":
        from keras_cvae.backend.replicas_tensorflow import mirror

        mirror()
    else:
        from keras_cvae.backend.devices_jax import spread

        spread()
    return process()


def check_launcher(backend: str) -> None:
    """Checks that processes which a launcher started are for the backend.

    Args:
        backend: the Keras backend.

    Raises:
        UserError: if they are not.
    """
    if launched().world_size > 1 and backend != "torch":
        raise UserError(
            f"{launched().world_size} processes were started (WORLD_SIZE), and they train together "
            f"on PyTorch alone; the Keras backend is {backend}. Set KERAS_BACKEND=torch, or start "
            "one process."
        )
    if os.environ.get("TF_CONFIG") and backend == "tensorflow":
        raise UserError(
            "TF_CONFIG is set: several machines train together on PyTorch alone, by torchrun "
            "scripts/train.py with KERAS_BACKEND=torch. Unset TF_CONFIG to train on this machine."
        )
