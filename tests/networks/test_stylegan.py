import numpy as np
import pytest
import tensorflow as tf

from tfgan_mnist.networks.stylegan import ModulatedConv2D, SlowDense, stylegan


def normal(*shape, seed=1):
    return tf.random.stateless_normal(shape, [seed, 2])


@pytest.mark.parametrize(
    ("image_size", "channels"), [(28, 1), (32, 3), (64, 1), (128, 3)]
)
def test_shapes(image_size, channels):
    mapping, synthesis, discriminator = stylegan(8, 4, 1, image_size, channels)
    latents = normal(2, 8)
    styles = mapping(latents)
    assert styles.shape == (2, 8)
    _, layers, numbers = synthesis.inputs[0].shape
    noise = normal(2, synthesis.inputs[1].shape[1])
    images = synthesis([tf.repeat(styles[:, None], layers, axis=1), noise])
    assert (layers, numbers) == ({64: 8, 128: 10}.get(image_size, 6), 8)
    assert images.shape == (2, image_size, image_size, channels)
    assert np.abs(images).max() <= 1.0
    assert discriminator(images).shape == (2, 1)


@pytest.mark.parametrize("up", [False, True])
def test_demodulated_maps_have_unit_deviation_whatever_the_scales(up):
    layer = ModulatedConv2D(16, 4 if up else 3, seed=1, up=up)
    scales = np.exp(np.random.default_rng(1).normal(size=[4, 32])).astype(np.float32)
    scales *= [[0.01], [1.0], [1.0], [100.0]]
    found = layer([normal(4, 24, 24, 32), scales]).numpy()
    assert found.shape == ((4, 48, 48, 16) if up else (4, 24, 24, 16))
    inside = found[:, 2:-2, 2:-2]  # "same" pads with zeros
    np.testing.assert_allclose(inside.std(axis=(1, 2, 3)), 1.0, atol=0.05)


def test_modulated_maps_are_those_of_a_scaled_kernel():
    """Each sample's own kernel, scaled by input channel and divided by its norm."""
    layer = ModulatedConv2D(5, 3, seed=1)
    maps, scales = normal(2, 6, 6, 3), normal(2, 3, seed=2)
    found = layer([maps, scales]).numpy()
    for i in range(2):
        kernel = layer.kernel.numpy() * scales[i].numpy()[:, None]
        kernel /= np.sqrt((kernel**2).sum(axis=(0, 1, 2)))
        expected = tf.nn.conv2d(maps[i : i + 1], kernel, 1, "SAME")
        np.testing.assert_allclose(found[i], expected[0], atol=1e-4)


def test_a_slow_layer_moves_by_its_share_of_the_rate():
    import keras

    moved = []
    for rate in (1.0, 0.1):
        layer = SlowDense(3, rate, seed=1)
        inputs = normal(4, 6)
        before = layer(inputs)
        effective = layer.kernel.numpy() * rate
        optimizer = keras.optimizers.Adam(0.01)
        with tf.GradientTape() as tape:
            loss = tf.reduce_sum(layer(inputs))
        variables = layer.trainable_variables
        optimizer.apply(tape.gradient(loss, variables), variables)
        moved.append(np.abs(layer.kernel.numpy() * rate - effective).mean())
        first = before if rate == 1.0 else first  # noqa: F821
    np.testing.assert_allclose(before, first, rtol=1e-4)  # the same function at first
    np.testing.assert_allclose(moved[1], 0.1 * moved[0], rtol=1e-2)


def test_noise_begins_as_nothing_and_styles_of_every_layer_count():
    _, synthesis, _ = stylegan(8, 4, 1)
    layers, numbers = synthesis.inputs[0].shape[1], synthesis.inputs[1].shape[1]
    assert numbers == 7**2 + 2 * 14**2 + 2 * 28**2
    styles, noise = normal(1, layers, 8), normal(1, numbers)
    images = synthesis([styles, noise]).numpy()
    np.testing.assert_array_equal(synthesis([styles, -noise]), images)
    for i in range(layers):
        other = styles + tf.one_hot(i, layers)[:, tf.newaxis]
        assert np.abs(synthesis([other, noise]) - images).max() > 1e-4
