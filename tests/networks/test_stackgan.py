import keras
import numpy as np
import pytest
import tensorflow as tf

from tfgan_mnist.networks import stackgan

WORDS = 20


def narrow(make=stackgan.stackgan_1, latent_dim=20):
    return {network.name: network for network in make(latent_dim, 4, 1, WORDS)}


@pytest.fixture(scope="module")
def first():
    return narrow()


@pytest.fixture(scope="module")
def second():
    return narrow(stackgan.stackgan_2)


def draw(latent_dim=20):
    latents = tf.random.stateless_normal([2, latent_dim], [1, 2])
    return latents, tf.constant([[2, 5, 7, 0, 0], [3, 9, 0, 0, 0]], tf.int64)


def test_shapes_of_both_stages(first, second):
    latents, captions = draw()
    images, mean, log_variance = first["generator"]([latents, captions])
    assert images.shape == (2, 14, 14, 1)
    assert mean.shape == log_variance.shape == (2, stackgan.CONDITION)
    assert first["discriminator"]([images, captions]).shape == (2, 1)
    images, mean, log_variance = second["refiner"]([latents, captions, images])
    assert images.shape == (2, 28, 28, 1)
    assert mean.shape == log_variance.shape == (2, stackgan.CONDITION)
    assert np.abs(images).max() <= 1.0
    assert second["discriminator"]([images, captions]).shape == (2, 1)


def test_the_second_stage_has_the_first_one_s_generator(first, second):
    one, other = (networks["generator"] for networks in (first, second))
    assert [w.shape for w in one.weights] == [w.shape for w in other.weights]
    other.set_weights(one.get_weights())
    for images, again in zip(one(list(draw())), other(list(draw())), strict=True):
        np.testing.assert_array_equal(images, again)


def test_a_condition_is_drawn_with_the_last_latents(first):
    """Mean and deviation of what follows from a caption, by hand."""
    generator = first["generator"]
    latents, captions = draw()
    dense = next(x for x in generator.layers if isinstance(x, keras.layers.Dense))
    joined = next(x for x in generator.layers if x.name.startswith("concatenate"))
    found = keras.Model(generator.inputs, joined.output)([latents, captions])
    _, mean, log_variance = generator([latents, captions])
    size = mean.shape[1]
    drawn = mean + np.exp(0.5 * log_variance) * latents[:, -size:]
    expected = np.concatenate([latents[:, :-size], drawn], axis=1)
    np.testing.assert_allclose(found, expected, rtol=1e-5, atol=1e-6)
    assert dense.kernel.shape[0] == stackgan.TEXT


@pytest.mark.parametrize("latent_dim", [1, 16])
def test_few_latents_are_all_the_condition_s(latent_dim):
    generator = narrow(latent_dim=latent_dim)["generator"]
    images, mean, _ = generator(list(draw(latent_dim)))
    assert images.shape == (2, 14, 14, 1)
    assert mean.shape == (2, latent_dim)


def test_every_network_reads_the_caption_s_words_and_their_order(first, second):
    latents, captions = draw()
    small = first["generator"]([latents, captions])[0]
    calls = (
        lambda c: first["generator"]([latents, c])[0],
        lambda c: second["refiner"]([latents, c, small])[0],
        lambda c: first["discriminator"]([small, c]),
    )
    others = captions + tf.constant([[0, 0, 1, 0, 0]], tf.int64)
    turned = tf.gather(captions, [1, 0, 2, 3, 4], axis=1)
    for call in calls:
        for changed in (others, turned):
            assert np.abs(call(captions) - call(changed)).max() > 1e-5


def test_what_fills_a_caption_up_counts_for_nothing(first, second):
    """However much there is, and whatever its number's embedding."""
    latents, captions = draw()
    longer = tf.pad(captions, [[0, 0], [0, 7]])
    small = tf.zeros([2, 14, 14, 1])
    for network, others in (
        (first["generator"], [latents, captions]),
        (second["refiner"], [latents, captions, small]),
        (first["discriminator"], [small, captions]),
    ):
        before = network(others)
        others = [longer if given is captions else given for given in others]
        embedding = next(w for w in network.weights if w.path.endswith("embeddings"))
        kept = embedding.numpy()
        embedding.assign(np.concatenate([kept[:1] + 100.0, kept[1:]]))
        after = network(others)
        embedding.assign(kept)
        for one, other in zip(*map(keras.tree.flatten, (before, after)), strict=True):
            np.testing.assert_allclose(one, other, atol=1e-6)


def test_the_projection_is_added_to_the_logit(second):
    """D answers captions apart from images: two images' difference, for any caption,
    is the difference of their features along the caption's direction."""
    discriminator = second["discriminator"]
    images = tf.random.stateless_normal([2, 28, 28, 1], [3, 4])
    _, captions = draw()
    dot = next(x for x in discriminator.layers if isinstance(x, keras.layers.Dot))
    parts = keras.Model(discriminator.inputs, dot.input)([images, captions])
    logits = discriminator([images, captions]).numpy()
    dense = [x for x in discriminator.layers if isinstance(x, keras.layers.Dense)]
    alone = next(x for x in dense if x.units == 1)(parts[0])
    product = tf.reduce_sum(parts[0] * parts[1], axis=1, keepdims=True)
    np.testing.assert_allclose(logits, alone + product, rtol=1e-4, atol=1e-5)


def test_parameters_of_the_recipes():
    sizes = [
        {network.name: network.count_params() for network in make(64, 16, 1, 55)}
        for make in (stackgan.stackgan_1, stackgan.stackgan_2)
    ]
    assert sizes == [
        {"generator": 244193, "discriminator": 107905},
        {"generator": 244193, "refiner": 161969, "discriminator": 115857},
    ]
