"""Adaptive augmentation: what it does to images, how often, and that it resumes."""

import math

import numpy as np
import pytest
import tensorflow as tf
from conftest import tiny_config

from tfgan_mnist.build import build_training
from tfgan_mnist.gans.augmentation import MOST, RISE, Augmentation, transforms

SEED = tf.constant([1, 2])


@pytest.fixture
def images():
    return tf.random.stateless_uniform([200, 16, 16, 3], SEED, -1.0, 1.0)


def test_without_probability_nothing_changes(images):
    augmentation = Augmentation(0.6)
    changes = augmentation.draw(images, SEED)
    np.testing.assert_allclose(augmentation.apply(images, changes), images, atol=1e-6)


def test_as_many_images_change_as_the_probability_has_it(images):
    augmentation = Augmentation(0.6)
    augmentation.probability.assign(0.5)
    changes = augmentation.draw(images, SEED)
    for name in ("contrast", "brightness"):
        unchanged = 1.0 if name == "contrast" else 0.0
        share = np.mean(changes[name].numpy() == unchanged)
        assert 0.4 < share < 0.6
    rotation = changes["transforms"][:, 1].numpy()
    assert 0.4 < np.mean(rotation == 0.0) < 0.6


def test_a_bright_spot_goes_where_it_is_moved_and_gradients_come_back():
    """By hand: a quarter turn and two pixels to the right."""
    spot = np.full([1, 9, 9, 1], -1.0, np.float32)
    spot[0, 4, 6] = 1.0  # two to the right of the middle
    augmentation = Augmentation(0.6)
    changes = augmentation.draw(tf.constant(spot), SEED)
    moves = (tf.constant([x]) for x in (1.0, 0.5 * math.pi, 2.0, 0.0))
    changes["transforms"] = transforms(*moves, 9, 9)
    given = tf.constant(spot)
    with tf.GradientTape() as tape:
        tape.watch(given)
        total = augmentation.apply(given, changes)[0, 6, 6, 0]
    # To the right of the middle, so below it after the turn; then to the right.
    assert float(total) == pytest.approx(1.0, abs=1e-4)
    gradient = tape.gradient(total, given).numpy()[0, :, :, 0]
    assert gradient[4, 6] == pytest.approx(1.0, abs=1e-4)
    assert np.abs(gradient).sum() == pytest.approx(1.0, abs=1e-3)


def test_the_probability_follows_how_sure_d_is():
    augmentation = Augmentation(0.6)
    sure, unsure = tf.ones([32, 1]), tf.constant([[1.0], [-1.0]] * 16)
    for _ in range(10):
        augmentation.adapt(sure)
    # The mean needs four batches of all ones to pass 0.6.
    assert float(augmentation.probability) == pytest.approx(7 * 32 / RISE)
    for _ in range(30):
        augmentation.adapt(unsure)
    assert float(augmentation.probability) == 0.0
    augmentation.probability.assign(MOST)
    for _ in range(10):
        augmentation.adapt(sure)
    assert float(augmentation.probability) == pytest.approx(MOST)


def test_a_resumed_run_is_the_interrupted_one_bit_for_bit():
    config = tiny_config(
        "dcgan_fast", steps=6, augmentation_target=0.1, flip=True, shift=2
    )

    def trained(*parts):
        training = None
        for first, count in parts:
            held = training and {n: v.numpy() for n, v in training.variables.items()}
            training = build_training(config)
            for name, value in (held or {}).items():
                training.variables[name].assign(value)
            training.gan.augmentation.probability.assign_add(0.3 if not first else 0.0)
            training.step(tf.constant(first), tf.constant(count))
        return {n: v.numpy() for n, v in training.variables.items()}

    whole, parted = trained((0, 6)), trained((0, 3), (3, 3))
    assert "augmentation/probability" in whole
    assert whole["augmentation/sign"] != 0.0
    for name, value in whole.items():
        np.testing.assert_array_equal(value, parted[name], err_msg=name)
