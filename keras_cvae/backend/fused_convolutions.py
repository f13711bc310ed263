"""Convolutions of a recorded graph as a CPU computes them best.

PyTorch lays a kernel out again in every call, applies a LeakyReLU in an operation of its own, and
computes a convolution of one small image by a slow path of its own. Here kernels are laid out once
for the shape, and the LeakyReLU is computed inside the convolution. The operators are those that
`torch.compile` uses for this. A call of oneDNN takes 25 microseconds longer than its arithmetic, so
a small 1 x 1 convolution is a product of matrices instead.
"""

import math
from typing import Any

import torch
from torch import fx

aten, mkldnn = torch.ops.aten, torch.ops.mkldnn
_OPERATORS = ("_convolution_pointwise", "_reorder_convolution_weight")
_SMALL = 2**23  # multiplications in float32, from which on oneDNN's 1 x 1 convolution is as fast


def fuse_convolutions(graph: fx.Graph) -> None:
    """Replaces the convolutions of a graph, and each LeakyReLU that follows one.

    Nothing is replaced where PyTorch was built without oneDNN or without these operators, or for
    tensors that are not float32 or bfloat16 on a CPU, or images whose channels come first.

    Args:
        graph: as `make_fx` records it, without operations in place.
    """
    if not (torch.backends.mkldnn.is_available() and all(map(_has_operator, _OPERATORS))):
        return
    for node in list(graph.nodes):
        if node.target is aten.convolution.default and _suits(node):
            (_by_product if _is_small_product(node) else _by_onednn)(graph, node)
    _drop_permuted_twice(graph)
    graph.eliminate_dead_code()


def _has_operator(name: str) -> bool:
    return hasattr(mkldnn, name)


def _suits(node: fx.Node) -> bool:
    *given, _, _, _, transposed, _, _ = node.args
    tensors = [_example(each) for each in given if isinstance(each, fx.Node)]
    types = {tensor.dtype for tensor in tensors}
    return (
        not transposed
        and _example(node).permute(0, 2, 3, 1).is_contiguous()  # as what replaces it returns it
        and {tensor.device.type for tensor in tensors} == {"cpu"}
        and (types == {torch.float32} or (types == {torch.bfloat16} and _has_bfloat16()))
    )


def _has_bfloat16() -> bool:
    return _has_operator("_is_mkldnn_bf16_supported") and mkldnn._is_mkldnn_bf16_supported()


def _is_small_product(node: fx.Node) -> bool:
    _, kernel, _, stride, padding, *_, groups = node.args
    out, inside = _example(node), _example(kernel).shape[1]
    return (
        (list(_example(kernel).shape[2:]), list(stride), list(padding), groups)
        == ([1, 1], [1, 1], [0, 0], 1)
        and out.dtype == torch.float32
        and math.prod(out.shape) * inside < _SMALL
    )


def _by_product(graph: fx.Graph, node: fx.Node) -> None:
    x, kernel, bias = node.args[:3]
    with graph.inserting_before(node):
        weight = graph.call_function(_as_matrix, (kernel,))
        rows = graph.call_function(aten.permute.default, (x, [0, 2, 3, 1]))
        product = graph.call_function(aten.linear.default, (rows, weight, bias))
        replaced = graph.call_function(aten.permute.default, (product, [0, 3, 1, 2]))
    replaced.meta = node.meta
    node.replace_all_uses_with(replaced)
    graph.erase_node(node)


def _as_matrix(kernel: torch.Tensor) -> torch.Tensor:
    return kernel.detach()[:, :, 0, 0].contiguous()


def _by_onednn(graph: fx.Graph, node: fx.Node) -> None:
    x, kernel, bias, stride, padding, dilation, _, _, groups = node.args
    activation: tuple[str, list] = ("none", [])
    relu = _only_user(_only_user(node, aten.permute.default), aten.leaky_relu.default)
    if relu is not None:  # it is applied before the axes are permuted: that changes nothing
        activation = ("leaky_relu", [relu.args[1] if len(relu.args) > 1 else 0.01])
        relu.replace_all_uses_with(relu.args[0])
        graph.erase_node(relu)
    options = (padding, stride, dilation, groups)
    shape = list(_example(x).shape)
    with graph.inserting_before(node):
        # Of the weights alone: it is computed once, see `RecordedStep`.
        laid_out = graph.call_function(_lay_out, (kernel, *options, shape))
        fused = graph.call_function(
            mkldnn._convolution_pointwise.default,
            (x, laid_out, bias, *options, *activation, ""),
        )
    fused.meta = node.meta
    node.replace_all_uses_with(fused)
    graph.erase_node(node)


def _lay_out(kernel: torch.Tensor, *arguments: Any) -> torch.Tensor:
    return mkldnn._reorder_convolution_weight(kernel.detach(), *arguments)


def _drop_permuted_twice(graph: fx.Graph) -> None:
    """Removes each permutation that undoes the one before it."""
    for node in list(graph.nodes):
        before = node.args[0] if node.target is aten.permute.default else None
        if isinstance(before, fx.Node) and before.target is aten.permute.default:
            axes = [before.args[1][axis] for axis in node.args[1]]
            if axes == sorted(axes):
                node.replace_all_uses_with(before.args[0])
                graph.erase_node(node)


def _only_user(node: fx.Node | None, target: Any) -> fx.Node | None:
    """The node that alone uses `node`, if it calls `target`."""
    users = list(node.users) if node is not None else []
    return users[0] if len(users) == 1 and users[0].target is target else None


def _example(node: fx.Node) -> torch.Tensor:
    return node.meta["val"]
