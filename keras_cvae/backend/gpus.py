"""GPUs: the choice of CPU or GPU before the backend is imported, and how many a backend sees."""

import importlib.metadata
import os

DEVICES = ("auto", "cpu", "gpu")
# Variables of a process that shall compute on the CPU, whichever backend it has.
CPU_ALONE = {"KERAS_TORCH_DEVICE": "cpu", "CUDA_VISIBLE_DEVICES": "-1", "JAX_PLATFORMS": "cpu"}
_BUILDS = {
    "torch": "pip install torch on Linux is one, a wheel +cpu is not",
    "tensorflow": "pip install 'tensorflow[and-cuda]'",
    "jax": "pip install 'jax[cuda13]', or jax[cuda12]",
}


def choose_device(asked: str, backend: str) -> bool:
    """Makes this process compute on the device that is asked for. Call it before Keras is imported.

    Args:
        asked: one of `DEVICES`; `"auto"` changes nothing: the backend takes a GPU if it sees one.
        backend: the Keras backend.

    Returns:
        bool, whether the device is there; False only for `"gpu"`.
    """
    if asked == "cpu":
        os.environ.update(CPU_ALONE)
    if asked != "gpu":
        return True
    if gpu_count(backend) == 0:
        return False
    if backend == "torch" and not os.environ.get("KERAS_TORCH_DEVICE", "").startswith("cuda"):
        os.environ["KERAS_TORCH_DEVICE"] = "cuda"
    return True


def gpu_count(backend: str) -> int:
    """The number of GPUs that a backend sees (CUDA's or ROCm's). It imports the backend.

    Args:
        backend: the Keras backend.
    """
    if backend == "torch":
        import torch

        return torch.cuda.device_count()
    if backend == "tensorflow":
        import tensorflow as tf

        return len(tf.config.list_physical_devices("GPU"))
    import jax

    try:
        return len(jax.devices("gpu"))
    except RuntimeError:  # JAX has no such platform here
        return 0


def without_gpu(backend: str) -> str:
    """That a backend sees no GPU and how to mend it, as one line for people.

    Args:
        backend: the Keras backend.
    """
    try:
        package = f"{backend} {importlib.metadata.version(backend)}"
    except importlib.metadata.PackageNotFoundError:  # such as tensorflow by tensorflow-cpu
        package = backend
    names = ("CUDA_VISIBLE_DEVICES", *(["JAX_PLATFORMS"] if backend == "jax" else []))
    hiding = [f"{name} is {os.environ[name]!r}" for name in names if name in os.environ]
    here = f" ({', '.join(hiding)})" if hiding else ""
    return (
        f"{package} sees no GPU{here}. nvidia-smi shows whether the system has one; "
        f"{backend} must be a build with CUDA ({_BUILDS[backend]})"
    )
