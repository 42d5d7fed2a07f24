import keras
import numpy as np
import pytest
import tensorflow as tf

from tfgan_mnist.networks import translation


def receptive_field(network: keras.Model, size: int, channels: int) -> tuple[int, int]:
    """Rows and columns of the input that a logit in the middle looks at."""
    images = tf.random.stateless_normal([1, size, size, channels], [1, 2])
    with tf.GradientTape() as tape:
        tape.watch(images)
        logits = network(images, training=False)
        middle = logits.shape[1] // 2
        logit = logits[0, middle, middle, 0]
    slope = np.abs(tape.gradient(logit, images).numpy())[0].sum(axis=-1)
    return tuple(np.ptp(axis) + 1 for axis in np.nonzero(slope))


@pytest.mark.parametrize(("size", "field"), [(28, 16), (64, 34), (256, 70)])
def test_a_patch_of_d(size, field):
    network = translation.patch_discriminator(
        [(size, size, 1)], 4, 1, "discriminator", keras.layers.BatchNormalization
    )
    assert receptive_field(network, size, 1) == (field, field)


@pytest.mark.parametrize("size", [28, 32, 20])
def test_the_u_net_keeps_any_size_and_answers_its_noise(size):
    shape = (size, size, 3)
    network = translation.unet(shape, 1, 4, seed=1)
    noise, sources = (
        tf.random.stateless_uniform([2, *x.shape[1:]], [1, i])
        for i, x in enumerate(network.inputs)
    )
    one = network([noise, sources], training=False)
    assert one.shape == (2, size, size, 1)
    assert float(tf.reduce_max(tf.abs(one))) <= 1.0
    np.testing.assert_array_equal(one, network([noise, sources], training=False))
    other = network([1.0 - noise, sources], training=False)
    assert float(tf.reduce_max(tf.abs(one - other))) > 0.0


def test_dropout_by_noise_drops_half_and_keeps_the_mean():
    layer = translation.DropoutBy(0.5)
    noise = tf.reshape(tf.linspace(0.0, 0.999, 1000), [1, 1000])
    kept = layer([tf.ones([1, 10, 10, 10]), noise]).numpy().ravel()
    assert set(kept) == {0.0, 2.0}
    assert kept.mean() == pytest.approx(1.0, abs=0.01)
    assert not kept[:500].any()


@pytest.mark.parametrize("size", [28, 64])
def test_the_residual_network_keeps_the_size(size):
    network = translation.resnet((size, size, 1), 3, 4, seed=1, name="generator")
    images = network(tf.zeros([2, size, size, 1]), training=False)
    assert images.shape == (2, size, size, 3)
    blocks = sum(isinstance(layer, keras.layers.Add) for layer in network.layers)
    assert blocks == (3 if size < 64 else 6)


def test_networks_follow_the_shapes_of_both_kinds():
    grey, colour = (28, 28, 1), (28, 28, 3)
    unet, judge = translation.pix2pix(100, 4, 1, source=grey, target=colour)
    assert unet.outputs[0].shape[1:] == colour
    assert [x.shape[1:] for x in judge.inputs] == [colour, grey]
    there, back, *judges = translation.cyclegan(100, 4, 1, source=grey, target=colour)
    assert (there.outputs[0].shape[1:], back.outputs[0].shape[1:]) == (colour, grey)
    assert [x.inputs[0].shape[1:] for x in judges] == [colour, grey]
    assert [x.name for x in (there, back, *judges)] == [
        "generator",
        "generator_back",
        "discriminator",
        "discriminator_back",
    ]
