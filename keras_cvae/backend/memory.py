"""Which errors of the backends say that memory ran out: each has its own."""

_CLASSES = ("OutOfMemoryError", "ResourceExhaustedError")  # of PyTorch on a GPU, of TensorFlow
# In the text of errors that have no class of their own: PyTorch on a CPU, JAX and XLA.
_TEXTS = ("can't allocate memory", "not enough memory", "RESOURCE_EXHAUSTED", "Out of memory")


def out_of_memory(error: BaseException) -> bool:
    """Whether memory ran out, on the host or on a device.

    Args:
        error: what was raised, by Python, NumPy or a backend.
    """
    if isinstance(error, MemoryError):
        return True
    if any(each.__name__ in _CLASSES for each in type(error).__mro__):
        return True
    return isinstance(error, RuntimeError) and any(text in str(error) for text in _TEXTS)
