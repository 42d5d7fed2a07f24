import math

import numpy as np
import pytest
import tensorflow as tf
from conftest import tiny_config

from tfgan_mnist.build import build_gan
from tfgan_mnist.latents import LATENTS, run_seed


@pytest.fixture(scope="module")
def gan():
    return build_gan(tiny_config())


def test_generate_makes_one_image_a_real_one(gan):
    batch = {"images": tf.zeros([5, 28, 28, 1])}
    fakes = gan.generate(batch, run_seed(1, LATENTS))
    assert fakes.shape == [5, 28, 28, 1]
    np.testing.assert_array_equal(fakes, gan.generate(batch, run_seed(1, LATENTS)))
    other = gan.generate(batch, run_seed(2, LATENTS))
    assert not np.array_equal(fakes, other)


def test_losses_of_an_undecided_discriminator_are_log_2(gan):
    weights = gan.discriminator.get_weights()
    gan.discriminator.set_weights([np.zeros_like(w) for w in weights])
    images = tf.random.stateless_uniform([4, 28, 28, 1], [1, 1], -1.0)
    discriminator = gan.discriminator_loss({"images": images}, images)
    generator = gan.generator_loss({"images": images}, images)
    gan.discriminator.set_weights(weights)
    assert discriminator.keys() == {"real", "fake"}
    for term in [*discriminator.values(), *generator.values()]:
        np.testing.assert_allclose(term, math.log(2), rtol=1e-6)


def test_samples_are_in_0_to_1_and_independent_of_their_neighbours(gan):
    latents = gan.draw_latents(6, run_seed(1, LATENTS))
    images = gan.sample(gan.generator, latents).numpy()
    assert images.shape == (6, 28, 28, 1)
    assert images.min() >= 0.0
    assert images.max() <= 1.0
    np.testing.assert_allclose(
        gan.sample(gan.generator, latents[2:3])[0], images[2], atol=1e-6
    )
