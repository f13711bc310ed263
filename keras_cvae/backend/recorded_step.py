"""A network's step as a recorded graph of PyTorch's operations.

Run eagerly, a step of prediction spends as much time in Python, Keras' and ours, as in arithmetic.
Recorded once, it is the bare operations, the same ones on the same weights; and what depends on
the weights alone (their layout) is computed once for a video instead of once for a frame.
"""

import torch
from keras import StatelessScope
from torch.fx.experimental.proxy_tensor import make_fx
from torch.fx.node import map_arg


class RecordedStep:
    """A function of tensors, recorded for their shapes.

    Args:
        function: takes tensors and returns one; nothing in it may depend on their values.
        variables: list of Keras variables that it reads. The graph shares their memory.
        inputs: list of tensors, an example of what it will be called with.
    """

    def __init__(self, function, variables, inputs):
        def stateless(values, *inputs):
            with StatelessScope(state_mapping=list(zip(variables, values, strict=True))):
                return function(*inputs)

        self._weights = [variable.value for variable in variables]
        # Without operations in place: repeated on what is computed once, they would change it.
        pure = torch.func.functionalize(stateless, remove="mutations")
        with torch.no_grad():
            self._module = make_fx(pure)(self._weights, *inputs)
        self._split(len(inputs))

    def _split(self, count):
        """Takes what depends on the weights alone out of the graph, as a plan to compute it by."""
        graph = self._module.graph
        placeholders = [node for node in graph.nodes if node.op == "placeholder"]
        self._weight_nodes = placeholders[:-count]
        once = set(self._weight_nodes)
        self._plan = []
        for node in graph.nodes:
            if node.op == "call_function" and once.issuperset(node.all_input_nodes):
                once.add(node)
                self._plan.append((node, node.target, node.args, node.kwargs))
        self._held = {}
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
        # make_fx takes the arguments as they were, a list and tensors; what is left is tensors.
        graph.set_codegen(torch.fx.graph.CodeGen())
        self._module.recompile()

    def refresh(self):
        """Computes anew what depends on the weights alone; call it when they may be others."""
        values = dict(zip(self._weight_nodes, self._weights, strict=True))
        with torch.no_grad():
            for node, function, arguments, options in self._plan:
                arguments, options = map_arg((arguments, options), values.__getitem__)
                values[node] = function(*arguments, **options)
        for node, name in self._held.items():
            setattr(self._module, name, values[node])

    def __call__(self, *inputs):
        with torch.no_grad():
            (output,) = self._module(*inputs)  # the recorded outputs, flat
            return output
