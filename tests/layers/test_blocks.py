import keras
import numpy as np
import pytest
from checks import check_layer, to_numpy

from keras_cvae.layers.blocks import Chain, Conv1x1, Conv3x3, DepthConvBlock, ResidualBlock

BLOCKS = (Conv1x1, Conv3x3, ResidualBlock, DepthConvBlock)


def noise(*shape):
    return np.random.default_rng(0).standard_normal(shape).astype("float32")


def built(block, i, o, **options):
    layer = block(i, o, **options)
    layer.build((None, None, None, i))
    return layer


@pytest.mark.parametrize("filters", [4, 6])
@pytest.mark.parametrize("block", BLOCKS)
def test_a_block_survives_its_configuration_and_mixed_precision(block, filters):
    check_layer(built(block, 4, filters, initialisation="pytorch"), noise(2, 5, 7, 4))


@pytest.mark.parametrize(
    ("block", "same", "other"),
    [
        (Conv1x1, 4 * 4 + 4, 4 * 6 + 6),
        (Conv3x3, 9 * 16 + 4, 9 * 24 + 6),
        (ResidualBlock, 2 * (9 * 16 + 4), 9 * 24 + 6 + 9 * 36 + 6 + 24 + 6),
        # conv1x1, depthwise, conv1x1, (skip), conv1x1 to 4c, conv1x1 from 2c
        (DepthConvBlock, 20 + 40 + 20 + 4 * 16 + 16 + 36, 20 + 40 + 30 + 30 + 6 * 24 + 24 + 78),
    ],
)
def test_counts_by_hand(block, same, other):
    assert built(block, 4, 4).count_params() == same
    assert built(block, 4, 6).count_params() == other


def test_residual_block_by_hand():
    layer = built(ResidualBlock, 1, 1)
    identity = np.zeros((3, 3, 1, 1), "float32")
    identity[1, 1] = 1
    layer.set_weights([identity, np.zeros(1), -2 * identity, np.zeros(1)])
    x = np.array([2.0, -3.0], "float32").reshape(1, 1, 2, 1)
    # 2 -> 2 -> -4 * .01 + 2; -3 -> -.03 -> .06 - 3
    np.testing.assert_allclose(to_numpy(layer(x)).ravel(), [1.96, -2.94], rtol=1e-6)


def test_gated_feed_forward_by_hand():
    layer = built(DepthConvBlock, 1, 1)
    for variable in layer.weights:
        variable.assign(np.zeros(variable.shape))
    # The depthwise half is silent. With one channel: x + a0 f(b0) + 2 a1 f(b1).
    layer.ffn_in[0].assign([[3.0, 1.0, -1.0, 1.0]])
    layer.ffn_out[0].assign([[1.0], [2.0]])
    x = np.array([2.0, -2.0], "float32").reshape(1, 1, 2, 1)
    expected = [2 + 6 * -0.2 + 2 * 2 * 2, -2 + -6 * 2 + 2 * -2 * -0.2]
    np.testing.assert_allclose(to_numpy(layer(x)).ravel(), expected, rtol=1e-6)


def test_depthwise_convolution_sees_its_own_channel_and_the_neighbours():
    layer = built(DepthConvBlock, 2, 2, initialisation="pytorch")
    layer.expand[0].assign(np.eye(2))
    layer.project[0].assign(np.eye(2))
    layer.ffn_out[0].assign(np.zeros((4, 2)))
    x = np.zeros((1, 5, 5, 2), "float32")
    base = to_numpy(layer(x))
    x[0, 2, 2, 0] = 1
    changed = np.abs(to_numpy(layer(x)) - base)[0] > 0
    assert changed[1:4, 1:4, 0].all()
    assert changed.sum() == 9


def test_borders_are_padded_with_zeros():
    layer = built(Conv3x3, 3, 3, initialisation="pytorch")
    small = noise(1, 4, 4, 3)
    large = np.zeros((1, 8, 8, 3), "float32")
    large[:, 2:6, 2:6] = small
    expected = to_numpy(layer(large))[:, 2:6, 2:6]
    np.testing.assert_allclose(to_numpy(layer(small)), expected, rtol=1e-5, atol=1e-6)


def test_pytorch_initialisation_is_uniform_by_the_fan_in():
    layer = built(ResidualBlock, 16, 32, initialisation="pytorch")
    for name, fan_in in (("conv1", 9 * 16), ("conv2", 9 * 32), ("skip", 16)):
        for weights in getattr(layer, name):
            values = to_numpy(weights)
            limit = 1 / np.sqrt(fan_in)
            assert np.abs(values).max() <= limit
            assert np.abs(values).max() > 0.8 * limit
            assert np.abs(values.mean()) < 0.5 * limit


def test_scaled_initialisation_begins_near_the_skip_connection():
    x = noise(1, 12, 12, 32)
    for block in (ResidualBlock, DepthConvBlock):
        branch = to_numpy(built(block, 32, 32)(x)) - x
        published = to_numpy(built(block, 32, 32, initialisation="pytorch")(x)) - x
        assert 0 < branch.std() < 0.2
        assert branch.std() != pytest.approx(published.std(), rel=0.05)


def test_initial_weights_follow_the_global_seed():
    def draw(seed):
        keras.utils.set_random_seed(seed)
        return np.concatenate([w.ravel() for w in built(ResidualBlock, 4, 6).get_weights()])

    np.testing.assert_array_equal(draw(1), draw(1))
    assert np.abs(draw(1) - draw(2)).max() > 0.01


def test_a_chain_is_its_blocks_one_after_another():
    chain = Chain(3, [(Conv3x3, 4), (ResidualBlock, 4), (Conv1x1, 2)])
    chain.build()
    x = noise(1, 4, 5, 3)
    y = x
    for block in chain.blocks:
        y = block(y)
    np.testing.assert_array_equal(to_numpy(chain(x)), to_numpy(y))
    assert to_numpy(y).shape == (1, 4, 5, 2)
    assert chain.count_params() == sum(block.count_params() for block in chain.blocks) > 0
