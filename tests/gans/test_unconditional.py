import math

import keras
import numpy as np
import pytest
import tensorflow as tf
from conftest import tiny_config

from tfgan_mnist.build import build_gan
from tfgan_mnist.gans.losses import LOSSES
from tfgan_mnist.gans.unconditional import Objective, Unconditional
from tfgan_mnist.system.seeds import LATENTS, run_seed


@pytest.fixture(scope="module")
def gan():
    return build_gan(tiny_config())


def test_generate_makes_one_image_a_real_one(gan):
    batch = {"samples": tf.zeros([5, 28, 28, 1])}
    fakes, again, other = (
        gan.generate(batch, run_seed(seed, LATENTS))["samples"] for seed in (1, 1, 2)
    )
    assert fakes.shape == [5, 28, 28, 1]
    np.testing.assert_array_equal(fakes, again)
    assert not np.array_equal(fakes, other)


def test_losses_of_an_undecided_discriminator_are_log_2(gan):
    weights = gan.discriminator.get_weights()
    gan.discriminator.set_weights([np.zeros_like(w) for w in weights])
    batch = {"samples": tf.random.stateless_uniform([4, 28, 28, 1], [1, 1], -1.0)}
    discriminator = gan.discriminator_loss(batch, batch)
    generator = gan.generator_loss(batch, batch)
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


def linear_game(**objective) -> Unconditional:
    """G is the identity on one number; D is 3·x, and judges two samples as one."""
    generator = keras.Sequential([keras.Input([1]), keras.layers.Identity()])
    discriminator = keras.Sequential([keras.Input([2]), keras.layers.Dense(1)])
    discriminator.set_weights([np.array([[3.0], [3.0]]), np.zeros(1)])
    loss = LOSSES[objective.pop("loss", "non_saturating")]
    return Unconditional(
        generator, discriminator, "normal", Objective(loss, **objective)
    )


REAL = {"samples": tf.constant([[0.1], [0.2], [0.3], [0.0]])}
FAKE = {"samples": tf.constant([[0.0], [0.0], [1.0], [0.0]])}


def test_several_samples_are_judged_as_one():
    logits = linear_game().judge(REAL)
    np.testing.assert_allclose(logits, [[0.9], [0.9]], rtol=1e-6)


def test_weights_and_penalties_are_terms_by_hand():
    terms = linear_game(discriminator_weight=0.5, r1_weight=0.1, r2_weight=0.2)
    terms = terms.discriminator_loss(REAL, FAKE)
    # D's gradient is 3 on each of the two samples that it judges as one: 18.
    expected = {
        "real": 0.5 * math.log1p(math.exp(-0.9)),
        "fake": 0.5 * (math.log(2) + math.log1p(math.exp(3.0))) / 2,
        "r1": 0.1 * 0.5 * 18.0,
        "r2": 0.2 * 0.5 * 18.0,
    }
    assert terms.keys() == expected.keys()
    for name, value in expected.items():
        np.testing.assert_allclose(terms[name], value, rtol=1e-6, err_msg=name)


def test_the_gradient_penalty_is_a_term_between_real_and_fake():
    gan = linear_game(gradient_penalty_weight=10.0)
    fakes = gan.generate(REAL, run_seed(1, LATENTS))
    assert fakes["share"].shape == [2]  # D judges two samples as one
    assert 0 <= min(fakes["share"]) < max(fakes["share"]) < 1
    again = gan.generate(REAL, run_seed(1, LATENTS))
    np.testing.assert_array_equal(fakes["share"], again["share"])
    terms = gan.discriminator_loss(REAL, fakes)
    # D's gradient is (3, 3) everywhere, of length √18.
    expected = 10.0 * (math.sqrt(18.0) - 1.0) ** 2
    np.testing.assert_allclose(terms["gradient_penalty"], expected, rtol=1e-5)
    assert "share" not in linear_game().generate(REAL, run_seed(1, LATENTS))


def test_a_relativistic_game_pairs_real_and_fake_on_both_sides():
    gan = linear_game(loss="relativistic")
    # Logits: real 0.9, 0.9; fake 0, 3.
    differences = np.array([0.9, 0.9 - 3.0])
    np.testing.assert_allclose(
        gan.discriminator_loss(REAL, FAKE)["pairs"],
        np.log1p(np.exp(-differences)).mean(),
        rtol=1e-6,
    )
    np.testing.assert_allclose(
        gan.generator_loss(REAL, FAKE)["pairs"],
        np.log1p(np.exp(differences)).mean(),
        rtol=1e-6,
    )


def test_points_leave_as_they_are():
    gan = linear_game()
    np.testing.assert_array_equal(gan.sample(gan.generator, FAKE["samples"])[2], [1.0])
    assert not gan.makes_images
