import sys

import pytest

from keras_cvae.backend.memory import out_of_memory


class ResourceExhaustedError(Exception):
    """As TensorFlow's, which need not be installed."""


@pytest.mark.parametrize(
    ("error", "is_memory"),
    [
        (MemoryError(), True),
        (ResourceExhaustedError("OOM when allocating tensor"), True),
        (RuntimeError("[enforce fail] DefaultCPUAllocator: can't allocate memory: 9 bytes"), True),
        (RuntimeError("RESOURCE_EXHAUSTED: Out of memory allocating 9 bytes."), True),
        (RuntimeError("size mismatch"), False),
        (ValueError("not enough memory"), False),
    ],
)
def test_which_errors_say_that_memory_ran_out(error, is_memory):
    assert out_of_memory(error) == is_memory


def test_pytorch_on_a_cpu_and_numpy():
    torch = pytest.importorskip("torch")
    import numpy as np

    with pytest.raises(RuntimeError) as raised:
        torch.empty(sys.maxsize // 8, dtype=torch.float32)
    assert out_of_memory(raised.value)
    with pytest.raises(MemoryError) as raised:
        np.empty(2**60, np.uint8)
    assert out_of_memory(raised.value)
    assert out_of_memory(torch.cuda.OutOfMemoryError("CUDA out of memory"))
