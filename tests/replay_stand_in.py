"""A stand-in for a CUDA graph on a CPU: it keeps each operation of PyTorch and repeats it.

As on a GPU, operations work on the memory that they were recorded with, recording changes nothing,
and reading a value while recording is an error.
"""

import torch
from torch.utils._python_dispatch import TorchDispatchMode
from torch.utils._pytree import tree_flatten

from keras_cvae.backend import recorded_step, replay

recording_now = []


class RecordedOperations(TorchDispatchMode):
    def __init__(self):
        super().__init__()
        self.operations = []
        self._own, self._before = set(), {}

    def __torch_dispatch__(self, function, types, args=(), kwargs=None):
        kwargs = kwargs or {}
        if function in replay.READS:
            raise RuntimeError("a value is read while operations are recorded")
        if function._schema.is_mutable:
            for tensor in _tensors((args, kwargs)):
                if _memory(tensor) not in self._own:
                    self._before.setdefault(_memory(tensor), []).append((tensor, tensor.clone()))
        outputs = function(*args, **kwargs)
        self.operations.append((function, args, kwargs, _tensors(outputs)))
        if not function._schema.is_mutable:
            self._own |= {_memory(x) for x in _tensors(outputs)} - {
                _memory(x) for x in _tensors((args, kwargs))
            }
        return outputs

    def undo(self):
        """Gives memory that is not the recording's own its values from before."""
        for changes in self._before.values():
            for tensor, value in reversed(changes):
                tensor.detach().copy_(value)


class CpuGraph:
    """In place of `keras_cvae.backend.replay.CudaGraph`."""

    made: list = []

    def __init__(self, pool=None):
        self._operations = []
        self.replays = 0
        CpuGraph.made.append(self)

    def record(self, function):
        recording_now.append(self)
        try:
            with RecordedOperations() as recorded, replay._NumbersFilled():
                outputs = function()
        finally:
            recording_now.remove(self)
        self._operations = recorded.operations
        recorded.undo()
        for tensor in _tensors(outputs):  # nothing is computed before the first replay
            if tensor.is_floating_point():
                tensor.detach().fill_(float("nan"))
        return outputs

    def replay(self):
        self.replays += 1
        with torch.no_grad():
            for function, args, kwargs, outputs in self._operations:
                for kept, again in zip(outputs, _tensors(function(*args, **kwargs)), strict=True):
                    if kept.data_ptr() != again.data_ptr():  # else a view, or changed in place
                        kept.copy_(again)


def use_stand_in(monkeypatch):
    """Lets CPU tensors be replayed by the stand-in; returns the list of graphs made."""
    CpuGraph.made = []
    monkeypatch.setattr(replay, "CudaGraph", CpuGraph)
    monkeypatch.setattr(replay, "warm_up", lambda function, *arguments: function(*arguments))
    monkeypatch.setattr(replay, "replays", lambda tensor: True)
    monkeypatch.setattr(replay, "recording", lambda: bool(recording_now))
    monkeypatch.setattr(replay, "shared_pool", lambda: object())
    monkeypatch.setattr(replay, "wait", lambda: None)
    # A GPU has no convolutions of oneDNN's, whose kernels have no memory to look at.
    monkeypatch.setattr(recorded_step, "fuse_convolutions", lambda graph: None)
    return CpuGraph.made


def _memory(tensor):
    return tensor.untyped_storage().data_ptr()


def _tensors(outputs):
    return [x for x in tree_flatten(outputs)[0] if isinstance(x, torch.Tensor)]
