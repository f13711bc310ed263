import pytest

torch = pytest.importorskip("torch")
from torch.fx.experimental.proxy_tensor import make_fx  # noqa: E402
from torch.nn import functional  # noqa: E402

from keras_cvae.backend.fused_convolutions import fuse_convolutions, mkldnn  # noqa: E402

needs_onednn = pytest.mark.skipif(
    not torch.backends.mkldnn.is_available(), reason="PyTorch was built without oneDNN"
)


def block(x, kernel, bias):
    """Convolution, LeakyReLU, convolution, of channels-last images, as the layers compute them."""
    y = functional.conv2d(x.permute(0, 3, 1, 2), kernel, bias, padding=1).permute(0, 2, 3, 1)
    y = functional.leaky_relu(y, 0.2)
    return functional.conv2d(y.permute(0, 3, 1, 2), kernel, bias, padding=1).permute(0, 2, 3, 1)


def recorded(function, *inputs):
    with torch.no_grad():
        return make_fx(function)(*inputs)


def inputs(dtype=torch.float32):
    torch.manual_seed(0)
    return [torch.randn(shape).to(dtype) for shape in ((1, 5, 7, 4), (4, 4, 3, 3), (4,))]


def targets(module):
    return [node.target for node in module.graph.nodes if node.op == "call_function"]


@needs_onednn
def test_activations_go_into_the_convolution_and_layouts_are_kept():
    given = inputs()
    module = recorded(block, *given)
    fuse_convolutions(module.graph)
    module.recompile()
    torch.testing.assert_close(module(*given), block(*given), rtol=1e-5, atol=1e-5)
    found = targets(module)
    assert found.count(mkldnn._convolution_pointwise.default) == 2
    assert torch.ops.aten.leaky_relu.default not in found
    assert found.count(torch.ops.aten.permute.default) == 2  # at both ends


@needs_onednn
@pytest.mark.parametrize(
    ("images", "dtype", "product"),
    [
        ((1, 5, 7, 4), torch.float32, True),
        ((2, 64, 64, 32), torch.float32, False),  # 8 * 2**20 multiplications
        ((1, 5, 7, 4), torch.bfloat16, False),
    ],
    ids=str,
)
def test_a_small_convolution_of_1_x_1_is_a_product(images, dtype, product):
    def both(x, small, small_bias, kernel, bias):
        y = functional.conv2d(x.permute(0, 3, 1, 2), small, small_bias).permute(0, 2, 3, 1)
        y = functional.leaky_relu(y, 0.2)
        return functional.conv2d(y.permute(0, 3, 1, 2), kernel, bias, padding=1)

    torch.manual_seed(0)
    channels = images[-1]
    shapes = (images, (32, channels, 1, 1), (32,), (4, 32, 3, 3), (4,))
    given = [torch.randn(shape).to(dtype) / shape[-1] for shape in shapes]
    module = recorded(both, *given)
    fuse_convolutions(module.graph)
    module.recompile()
    tolerance = 1e-5 if dtype == torch.float32 else 2e-2
    torch.testing.assert_close(module(*given), both(*given), rtol=tolerance, atol=tolerance)
    found = targets(module)
    assert (torch.ops.aten.linear.default in found) == product
    assert found.count(mkldnn._convolution_pointwise.default) == (1 if product else 2)


@needs_onednn
@pytest.mark.parametrize("side", [1, 3])
def test_images_with_channels_first_stay_so(side):
    def channels_first(x, kernel, bias):
        return functional.conv2d(x, kernel, bias).flatten(1)

    torch.manual_seed(0)
    given = [torch.randn(shape) for shape in ((1, 3, 4, 5), (2, 3, side, side), (2,))]
    module = recorded(channels_first, *given)
    fuse_convolutions(module.graph)
    module.recompile()
    assert torch.ops.aten.convolution.default in targets(module)
    torch.testing.assert_close(module(*given), channels_first(*given), rtol=1e-5, atol=1e-5)


@needs_onednn
def test_an_activation_of_what_is_used_elsewhere_stays():
    def both(x, kernel, bias):
        y = functional.conv2d(x.permute(0, 3, 1, 2), kernel, bias, padding=1)
        return functional.leaky_relu(y.permute(0, 2, 3, 1), 0.2), y

    given = inputs()
    module = recorded(both, *given)
    fuse_convolutions(module.graph)
    module.recompile()
    for one, other in zip(module(*given), both(*given), strict=True):
        torch.testing.assert_close(one, other, rtol=1e-5, atol=1e-5)
    assert torch.ops.aten.leaky_relu.default in targets(module)


@pytest.mark.parametrize("reason", ["float64", "transposed", "no oneDNN"])
def test_what_does_not_suit_stays(reason, monkeypatch):
    given = inputs(torch.float64 if reason == "float64" else torch.float32)
    function = block
    if reason == "transposed":

        def function(x, kernel, bias):
            return functional.conv_transpose2d(x.permute(0, 3, 1, 2), kernel, bias)

    if reason == "no oneDNN":
        monkeypatch.setattr(torch.backends.mkldnn, "is_available", lambda: False)
    module = recorded(function, *given)
    before = targets(module)
    fuse_convolutions(module.graph)
    if reason == "no oneDNN":
        assert targets(module) == before
    assert torch.ops.aten.convolution.default in targets(module)
    module.recompile()
    torch.testing.assert_close(module(*given), function(*given))
