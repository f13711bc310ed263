"""TensorFloat-32: whether float32 products and convolutions on a GPU may round their inputs."""


def allow_tf32(backend: str, allowed: bool) -> None:
    """Lets products and convolutions of float32 round their inputs to 10 bits, or forbids it.

    GPUs since NVIDIA's Ampere are several times faster with it. Without a call each backend does
    as it likes: PyTorch rounds in convolutions alone. It changes nothing on a CPU.

    Args:
        backend: the Keras backend, which is imported.
        allowed: whether inputs may be rounded.
    """
    if backend == "torch":
        import torch

        torch.backends.cuda.matmul.allow_tf32 = allowed
        torch.backends.cudnn.allow_tf32 = allowed
    elif backend == "tensorflow":
        import tensorflow as tf

        tf.config.experimental.enable_tensor_float_32_execution(allowed)
    else:
        import jax

        precision = "tensorfloat32" if allowed else "highest"
        jax.config.update("jax_default_matmul_precision", precision)
