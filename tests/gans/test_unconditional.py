import math

import keras
import numpy as np
import pytest
import tensorflow as tf
from conftest import tiny_config

from tfgan_mnist.build import build_gan
from tfgan_mnist.gans.unconditional import Unconditional
from tfgan_mnist.registry import LOSSES, find
from tfgan_mnist.system.seeds import LATENTS, run_seed

STEP = tf.constant(0)


def discriminator_loss(gan, batch, fakes):
    return gan.losses(batch, fakes, ["discriminator"])["discriminator"]


def generator_loss(gan, batch, fakes):
    return gan.losses(batch, fakes, ["generator"])["generator"]


@pytest.fixture(scope="module")
def gan():
    return build_gan(tiny_config())


def test_generate_makes_one_image_a_real_one(gan):
    batch = {"samples": tf.zeros([5, 28, 28, 1])}
    fakes, again, other = (
        gan.generate(batch, run_seed(seed, LATENTS), STEP)["samples"]
        for seed in (1, 1, 2)
    )
    assert fakes.shape == [5, 28, 28, 1]
    np.testing.assert_array_equal(fakes, again)
    assert not np.array_equal(fakes, other)


def test_losses_of_an_undecided_discriminator_are_log_2(gan):
    weights = gan.discriminator.get_weights()
    gan.discriminator.set_weights([np.zeros_like(w) for w in weights])
    batch = {"samples": tf.random.stateless_uniform([4, 28, 28, 1], [1, 1], -1.0)}
    discriminator = discriminator_loss(gan, batch, batch)
    generator = generator_loss(gan, batch, batch)
    gan.discriminator.set_weights(weights)
    assert discriminator.keys() == {"real", "fake"}
    for term in [*discriminator.values(), *generator.values()]:
        np.testing.assert_allclose(term, math.log(2), rtol=1e-6)


def test_samples_are_in_0_to_1_and_independent_of_their_neighbours(gan):
    inputs = gan.inputs(6, run_seed(1, LATENTS), {})
    images = gan.sample(gan.networks, inputs).numpy()
    assert images.shape == (6, 28, 28, 1)
    assert images.min() >= 0.0
    assert images.max() <= 1.0
    alone = {"latents": inputs["latents"][2:3]}
    np.testing.assert_allclose(gan.sample(gan.networks, alone)[0], images[2], atol=1e-6)


def linear_game(**options) -> Unconditional:
    """G is the identity on one number; D is 3·x, and judges two samples as one."""
    generator = keras.Sequential([keras.Input([1]), keras.layers.Identity()])
    discriminator = keras.Sequential([keras.Input([2]), keras.layers.Dense(1)])
    discriminator.set_weights([np.array([[3.0], [3.0]]), np.zeros(1)])
    networks = {"generator": generator, "discriminator": discriminator}
    loss = find(LOSSES[options.pop("loss", "non_saturating")])
    return Unconditional(networks, Unconditional.Options("normal", loss, **options))


REAL = {"samples": tf.constant([[0.1], [0.2], [0.3], [0.0]])}
FAKE = {"samples": tf.constant([[0.0], [0.0], [1.0], [0.0]])}


def test_several_samples_are_judged_as_one():
    logits = linear_game().logits(REAL)
    np.testing.assert_allclose(logits, [[0.9], [0.9]], rtol=1e-6)


def test_weights_and_penalties_are_terms_by_hand():
    gan = linear_game(discriminator_loss_weight=0.5, r1_weight=0.1, r2_weight=0.2)
    terms = discriminator_loss(gan, REAL, FAKE)
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
    fakes = gan.generate(REAL, run_seed(1, LATENTS), STEP)
    assert fakes["share"].shape == [2]  # D judges two samples as one
    assert 0 <= min(fakes["share"]) < max(fakes["share"]) < 1
    again = gan.generate(REAL, run_seed(1, LATENTS), STEP)
    np.testing.assert_array_equal(fakes["share"], again["share"])
    terms = discriminator_loss(gan, REAL, fakes)
    # D's gradient is (3, 3) everywhere, of length √18.
    expected = 10.0 * (math.sqrt(18.0) - 1.0) ** 2
    np.testing.assert_allclose(terms["gradient_penalty"], expected, rtol=1e-5)
    assert "share" not in linear_game().generate(REAL, run_seed(1, LATENTS), STEP)


def test_a_relativistic_game_pairs_real_and_fake_on_both_sides():
    gan = linear_game(loss="relativistic")
    # Logits: real 0.9, 0.9; fake 0, 3.
    differences = np.array([0.9, 0.9 - 3.0])
    np.testing.assert_allclose(
        discriminator_loss(gan, REAL, FAKE)["pairs"],
        np.log1p(np.exp(-differences)).mean(),
        rtol=1e-6,
    )
    np.testing.assert_allclose(
        generator_loss(gan, REAL, FAKE)["pairs"],
        np.log1p(np.exp(differences)).mean(),
        rtol=1e-6,
    )


def test_points_leave_as_they_are():
    gan = linear_game()
    found = gan.sample(gan.networks, {"latents": FAKE["samples"]})
    np.testing.assert_array_equal(found[2], [1.0])
    assert not gan.makes_images


@pytest.mark.parametrize("loss", ["non_saturating", "relativistic"])
def test_both_sides_at_once_have_the_losses_of_each_alone(loss):
    gan = linear_game(loss=loss, r1_weight=0.1, r2_weight=0.2)
    both = gan.losses(REAL, FAKE, ["discriminator", "generator"])
    assert both.keys() == {"discriminator", "generator"}
    alone = {
        "discriminator": discriminator_loss(gan, REAL, FAKE),
        "generator": generator_loss(gan, REAL, FAKE),
    }
    for side, terms in alone.items():
        assert both[side].keys() == terms.keys()
        for name, value in terms.items():
            np.testing.assert_allclose(both[side][name], value, rtol=1e-6)


def test_what_a_side_trains_and_when_it_has_won():
    d, g = linear_game(discriminator_loss_weight=0.5).sides
    assert (d.name, d.symbol, d.networks) == ("discriminator", "D", ("discriminator",))
    assert (g.name, g.symbol, g.networks) == ("generator", "G", ("generator",))
    assert (d.generates, d.uses_batch) == (False, True)
    assert (g.generates, g.uses_batch) == (True, False)
    assert (d.won, g.won) == (0.01, 0.02)  # the first is of half the loss
    d, g = linear_game(loss="wasserstein").sides
    assert (d.won, g.won) == (None, None)
    assert linear_game(loss="relativistic").sides[1].uses_batch
