import keras
import numpy as np
import pytest
import tensorflow as tf

from tfgan_mnist.networks import biggan


def narrow(make=biggan.biggan, latent_dim=9, **shape):
    return make(latent_dim, 4, 1, 10, **shape)


@pytest.fixture(scope="module")
def pair():
    return narrow()


def draw(latent_dim=9):
    return tf.random.stateless_normal([2, latent_dim], [1, 2]), tf.constant([3, 7])


@pytest.mark.parametrize(
    ("image_size", "channels"), [(28, 1), (32, 3), (64, 1), (128, 3)]
)
def test_shapes(image_size, channels):
    generator, discriminator = narrow(image_size=image_size, channels=channels)
    latents, labels = draw()
    images = generator([latents, labels], training=False)
    assert images.shape == (2, image_size, image_size, channels)
    assert np.abs(images).max() <= 1.0
    assert discriminator([images, labels]).shape == (2, 1)
    places = {layer.output.shape[1] for layer in generator.layers if is_softmax(layer)}
    assert places == {14**2 if image_size == 28 else 16**2}


def is_softmax(layer):
    return isinstance(layer, keras.layers.Softmax)


def of_kind(network, kind):
    return [layer for layer in network.layers if isinstance(layer, kind)]


def test_each_chunk_of_the_latents_is_looked_at(pair):
    generator, _ = pair
    latents, labels = draw()
    # A gain's kernel is orthogonal, not zero: every chunk changes the image.
    images = generator([latents, labels], training=False).numpy()
    for chunk in range(3):
        moved = latents + tf.repeat(tf.one_hot(chunk, 3), 3)
        others = generator([moved, labels], training=False).numpy()
        assert np.abs(others - images).max() > 1e-3
    others = generator([latents, labels + 1], training=False).numpy()
    assert np.abs(others - images).max() > 1e-3


def test_the_first_chunk_alone_makes_the_first_maps(pair):
    generator, _ = pair
    dense = of_kind(generator, keras.layers.Dense)
    assert [x.kernel.shape[0] for x in dense] == [3] + 8 * [16 + 3]
    whole, _ = narrow(biggan.biggan_without_chunks)
    dense = of_kind(whole, keras.layers.Dense)
    assert [x.kernel.shape[0] for x in dense] == [9] + 8 * [16]


def test_attention_begins_as_nothing_and_then_looks_everywhere(pair):
    generator, _ = pair
    without, _ = narrow(biggan.biggan_without_attention)
    assert not any(map(is_softmax, without.layers))
    (scale,) = of_kind(generator, biggan.Scale)
    assert float(scale.factor) == 0.0
    softmax = next(filter(is_softmax, generator.layers))
    weights = keras.Model(generator.inputs, softmax.output)(list(draw()))
    assert weights.shape == (2, 14 * 14, 7 * 7)
    np.testing.assert_allclose(np.sum(weights, axis=2), 1.0, rtol=1e-5)


def test_weights_begin_orthogonal(pair):
    for network in pair:
        for kernel in network.trainable_weights:
            if len(kernel.shape) < 2:
                continue
            matrix = kernel.numpy().reshape(-1, kernel.shape[-1])
            if matrix.shape[0] < matrix.shape[1]:
                matrix = matrix.T
            products = matrix.T @ matrix
            np.testing.assert_allclose(products, np.eye(len(products)), atol=1e-4)


def test_the_projection_is_added_to_the_logit(pair):
    _, discriminator = pair
    images = tf.random.stateless_normal([1, 28, 28, 1], [3, 4])
    (table,) = of_kind(discriminator, keras.layers.Embedding)
    labels = tf.range(10)
    logits = discriminator([tf.repeat(images, 10, axis=0), labels])[:, 0].numpy()
    dot = of_kind(discriminator, keras.layers.Dot)[-1]
    features = keras.Model(discriminator.inputs, dot.input[0])([images, labels[:1]])
    products = (table.embeddings.numpy() @ features.numpy().T)[:, 0]
    np.testing.assert_allclose(logits - logits[0], products - products[0], atol=1e-4)


@pytest.mark.parametrize("latent_dim", [1, 2])
def test_few_latents_are_enough_for_the_first_maps(latent_dim):
    generator, _ = narrow(latent_dim=latent_dim)
    assert generator(list(draw(latent_dim)), training=False).shape == (2, 28, 28, 1)
