"""A network's step as a recorded graph of PyTorch's operations.

Run eagerly, a step of prediction spends as much time in Python code as in arithmetic. The recorded
graph holds only the operations: the same ones, on the same weights. What depends on the weights
alone (their layout) is computed once per video instead of once per frame. A CUDA GPU replays the
graph, see `replay`.
"""

from collections.abc import Callable, Sequence
from typing import Any

import torch
from keras import StatelessScope
from torch.fx.experimental.proxy_tensor import make_fx
from torch.fx.node import map_arg

from keras_cvae.backend import replay
from keras_cvae.backend.fused_convolutions import fuse_convolutions
from keras_cvae.backend.tensor import Tensor


class RecordedStep:
    """A function of tensors, recorded for their shapes.

    Call `refresh` before the first call, and after each change of the variables.

    Args:
        function: takes tensors and returns one. Its control flow must not depend on their values.
        variables: the Keras variables that it reads.
        values: their tensors. The graph shares their memory.
        inputs: example tensors of the shapes, types and layouts of later calls.
    """

    def __init__(
        self,
        function: Callable[..., Tensor],
        variables: Sequence[Any],
        values: Sequence[Tensor],
        inputs: Sequence[Tensor],
    ):
        def stateless(values: Sequence[Tensor], *inputs: Tensor) -> Tensor:
            with StatelessScope(state_mapping=list(zip(variables, values, strict=True))):
                return function(*inputs)

        self._weights = list(values)
        # In-place operations are removed: repeated, they would change what is computed once.
        pure = torch.func.functionalize(stateless, remove="mutations")
        with torch.no_grad():
            # "fake": shapes are computed and no numbers, in half the time.
            self._module = make_fx(pure, tracing_mode="fake", _allow_non_fake_inputs=True)(
                self._weights, *inputs
            )
        fuse_convolutions(self._module.graph)
        self._split(len(inputs))
        self._calls = 0
        self._replayed: replay.Replayed | None = None

    def _split(self, count: int) -> None:
        """Moves what depends on the weights alone out of the graph, into a plan for `refresh`."""
        graph = self._module.graph
        placeholders = [node for node in graph.nodes if node.op == "placeholder"]
        self._weight_nodes = placeholders[:-count]
        once = set(self._weight_nodes)
        self._plan = []
        for node in graph.nodes:
            if node.op == "call_function" and once.issuperset(node.all_input_nodes):
                once.add(node)
                self._plan.append((node, node.target, node.args, node.kwargs))
        self._held: dict[Any, str] = {}
        for node in once:
            if not once.issuperset(node.users):
                self._held[node] = f"held_{len(self._held)}"
                self._module.register_buffer(self._held[node], torch.empty(0))
                with graph.inserting_after(placeholders[-1]):
                    held = graph.get_attr(self._held[node])
                node.replace_all_uses_with(held, delete_user_cb=lambda user: user not in once)
        graph.eliminate_dead_code()
        for node in self._weight_nodes:
            graph.erase_node(node)
        # make_fx recorded the arguments as a list and tensors; now there are only tensors.
        graph.set_codegen(torch.fx.graph.CodeGen())
        self._module.recompile()

    def refresh(self) -> None:
        """Computes what depends on the weights alone. Call it after the weights change."""
        values = dict(zip(self._weight_nodes, self._weights, strict=True))
        with replay.LOCK, torch.no_grad():  # a GPU records the memory of what is held
            for node, function, arguments, options in self._plan:
                arguments, options = map_arg((arguments, options), values.__getitem__)
                values[node] = function(*arguments, **options)
            for node, name in self._held.items():
                held = getattr(self._module, name)
                if self._replayed is None:
                    setattr(self._module, name, values[node])
                elif held.data_ptr() != values[node].data_ptr():  # else a view of the weight
                    held.copy_(values[node])  # a GPU replays operations on the same memory

    def __call__(self, *inputs: Tensor) -> Tensor:
        """Runs the graph, without gradients.

        Args:
            *inputs: tensors of the recorded shapes and types.

        Returns:
            What the function returns for them.
        """
        with torch.no_grad():
            if not replay.replays(inputs[0]) or replay.recording():
                return self._run(*inputs)
            with replay.LOCK:
                return self._on_gpu(*inputs)

    def _on_gpu(self, *inputs: Tensor) -> Tensor:
        if self._replayed is None and self._calls == 0:
            output = replay.warm_up(self._run, *inputs)
            self._calls = 1
            return output
        if self._replayed is None and self._calls == 1:
            self._calls = 2
            try:
                self._replayed = replay.Replayed(self._run, inputs)
            except Exception as error:  # such as too little memory for one more graph
                replay.say_not_recorded("a step of prediction", replay.reason(error))
        if self._replayed is None:
            return self._run(*inputs)
        return self._replayed(*inputs).clone()

    def _run(self, *inputs: Tensor) -> Tensor:
        (output,) = self._module(*inputs)  # the recorded outputs, flat
        return output
