"""Functions of tensors whose kernels a GPU replays as one CUDA graph.

A step of training launches some ten thousand small kernels, and Python takes longer to launch one
than the GPU to compute it. A graph is launched at once.
"""

import gc
import threading
from collections.abc import Callable, Sequence
from functools import lru_cache
from typing import Any

import torch
from torch.overrides import TorchFunctionMode
from torch.utils._python_dispatch import TorchDispatchMode

from keras_cvae.backend.process import process
from keras_cvae.backend.tensor import Tensor
from keras_cvae.errors import first_line

# One thread at a time warms up, records or replays: a graph has one memory for its inputs and
# outputs, and there is one stream to record on.
LOCK = threading.RLock()

# Operations that give a value to Python.
READS = {torch.ops.aten._local_scalar_dense.default, torch.ops.aten.nonzero.default}
_COPIES = {torch.ops.aten._to_copy.default, torch.ops.aten.copy_.default}


class CudaGraph:
    """Kernels that were recorded once.

    Args:
        pool: memory that several graphs share: what one returned is used up when another is
            replayed. `None` for memory of its own.
    """

    def __init__(self, pool: Any = None):
        self._graph = torch.cuda.CUDAGraph()
        self._pool = pool

    def record(self, function: Callable[[], Any]) -> Any:
        """Records what a function would compute; nothing is computed.

        Args:
            function: without arguments. It reads no value of a tensor, and was called before by
                `warm_up`.

        Returns:
            What the function returns. Its tensors have values after `replay`.

        Raises:
            RuntimeError: if the function does what cannot be recorded.
        """
        # What is freed while a graph is recorded can end it, such as another graph.
        gc.collect()
        # "thread_local": Keras reads logs in a thread of its own.
        recorded = torch.cuda.graph(
            self._graph, self._pool, _recording_stream(), capture_error_mode="thread_local"
        )
        before = torch.cuda.current_stream()
        try:
            with recorded, _NumbersFilled():
                return function()
        except BaseException:
            torch.cuda.set_stream(before)  # which PyTorch leaves as it was while recording
            raise

    def replay(self) -> None:
        """Computes what was recorded."""
        self._graph.replay()


def warm_up(function: Callable[..., Any], *arguments: Any) -> Any:
    """Calls a function that is to be recorded, which initialises what libraries need.

    It runs where it is recorded later: autograd keeps the stream on which a weight was used first.

    Args:
        function: see `CudaGraph.record`, but with arguments.
        *arguments: of the function.

    Returns:
        What the function returns.
    """
    stream = _recording_stream()
    stream.wait_stream(torch.cuda.current_stream())
    try:
        with torch.cuda.stream(stream):
            return function(*arguments)
    finally:  # also after an error, when the caller may go on with the same weights
        torch.cuda.current_stream().wait_stream(stream)


class ValuesRead(TorchDispatchMode):
    """Notes whether Python reads values of tensors in a block, which cannot be recorded.

    An error while recording costs memory, in some versions of PyTorch until the process ends.

    Attributes:
        any: whether a value was read.
    """

    def __init__(self) -> None:
        super().__init__()
        self.any = False

    def __torch_dispatch__(
        self, function: Any, types: Any, args: Sequence = (), kwargs: dict | None = None
    ) -> Any:
        output = function(*args, **(kwargs or {}))
        to_host = function in _COPIES and output.device.type == "cpu" and _any_on_gpu(args)
        self.any = self.any or function in READS or to_host
        return output


class Replayed:
    """A function of tensors, recorded for their shapes.

    Args:
        function: takes tensors and returns tensors in any structure; see `CudaGraph.record`.
        inputs: example tensors, of the shapes and types of later calls.
        pool: see `CudaGraph`.
    """

    def __init__(self, function: Callable[..., Any], inputs: Sequence[Tensor], pool: Any = None):
        self._inputs = [each.detach().clone() for each in inputs]
        self._graph = CudaGraph(pool)
        self._outputs = self._graph.record(lambda: function(*self._inputs))

    def __call__(self, *inputs: Tensor) -> Any:
        """Computes the function.

        Returns:
            What the function returns: always the same tensors, which the next call overwrites.
        """
        for kept, given in zip(self._inputs, inputs, strict=True):
            kept.copy_(given, non_blocking=True)
        self._graph.replay()
        return self._outputs


def replays(tensor: Tensor) -> bool:
    """Whether functions of a tensor can be replayed: it is on PyTorch's current CUDA GPU.

    Args:
        tensor: one that the functions get.
    """
    return tensor.is_cuda and tensor.device.index == torch.cuda.current_device()


def on_device(inputs: dict[str, Any], device: Any) -> dict[str, Any]:
    """Inputs of a step on the way to a CUDA GPU, which copies them while others are computed.

    Args:
        inputs: arrays or tensors.
        device: `torch.device`; for another than a GPU nothing is done.

    Returns:
        The inputs by their names, as tensors of the GPU.
    """
    if device.type != "cuda":
        return inputs
    tensors = {name: torch.as_tensor(x) for name, x in inputs.items()}
    return {
        name: x if x.is_cuda else x.pin_memory().to(device, non_blocking=True)
        for name, x in tensors.items()
    }


def wait() -> None:
    """Waits until the GPU has computed everything, so that no graph runs that is to be freed."""
    torch.cuda.synchronize()


def reason(error: BaseException) -> str:
    """Why a recording failed, in one line.

    Args:
        error: of the recording. PyTorch may end it with an error of its own, that the capture
            failed, whose context is the cause.
    """
    cause = error.__context__ if "captur" in str(error) else None
    return f"{type(cause or error).__name__}: {first_line(cause or error)}"


def say_not_recorded(what: str, why: str) -> None:
    """Prints that something is not recorded; of several processes the first does.

    Args:
        what: such as "a step of prediction".
        why: see `reason`.
    """
    if process().first:
        print(f"{what} is not recorded as a CUDA graph, and runs slower: {why}", flush=True)


def recording() -> bool:
    """Whether a graph is being recorded now."""
    return torch.cuda.is_available() and torch.cuda.is_current_stream_capturing()


def shared_pool() -> Any:
    """Memory for several graphs, see `CudaGraph`."""
    return torch.cuda.graph_pool_handle()


def _any_on_gpu(args: Sequence) -> bool:
    return any(isinstance(x, torch.Tensor) and x.is_cuda for x in args)


@lru_cache
def _recording_stream() -> Any:
    return torch.cuda.Stream()


class _NumbersFilled(TorchFunctionMode):
    """Makes tensors of Python numbers by a kernel.

    Keras makes a tensor of each number that it computes with, such as the momentum of a norm, and
    PyTorch copies it from the host, which cannot be recorded.
    """

    def __torch_function__(
        self, function: Any, types: Any, args: Sequence = (), kwargs: dict | None = None
    ) -> Any:
        options = dict(kwargs or {})
        if function in (torch.as_tensor, torch.tensor) and len(args) == 1:
            (value,) = args
            if isinstance(value, bool | int | float):
                return torch.full((), value, **options)
        return function(*args, **options)
