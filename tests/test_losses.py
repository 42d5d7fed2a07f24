import math

import numpy as np
import pytest
import tensorflow as tf

from tfgan_mnist import config
from tfgan_mnist.losses import LOSSES, sigmoid_cross_entropy


@pytest.mark.parametrize("shape", [[4, 1], [2, 3, 3, 1]])
def test_known_values(shape):
    # At logit 0 the probability is 1/2 whatever the label.
    for label in (0.0, 1.0):
        loss = sigmoid_cross_entropy(tf.zeros(shape), label)
        np.testing.assert_allclose(loss, math.log(2), rtol=1e-6)
    # -log sigmoid(2) and -log(1 - sigmoid(2)).
    np.testing.assert_allclose(
        sigmoid_cross_entropy(tf.fill(shape, 2.0), 1.0), math.log1p(math.exp(-2)), 1e-6
    )
    np.testing.assert_allclose(
        sigmoid_cross_entropy(tf.fill(shape, 2.0), 0.0), math.log1p(math.exp(2)), 1e-6
    )


def test_gradient_is_probability_minus_label_over_count():
    logits = tf.constant([[-3.0], [0.5], [40.0]])
    with tf.GradientTape() as tape:
        tape.watch(logits)
        loss = sigmoid_cross_entropy(logits, 1.0)
    expected = (1 / (1 + np.exp(-logits.numpy())) - 1.0) / 3
    np.testing.assert_allclose(tape.gradient(loss, logits), expected, atol=1e-7)


def test_huge_logits_stay_finite_and_half_precision_is_lifted():
    loss = sigmoid_cross_entropy(tf.constant([[1e4]], tf.bfloat16), 0.0)
    assert loss.dtype == tf.float32
    np.testing.assert_allclose(loss, 1e4, rtol=1e-2)


def test_every_loss_of_the_flags_is_there():
    assert set(LOSSES) == set(config.LOSSES)


REAL, FAKE = np.array([[0.0], [2.0]]), np.array([[-1.0], [3.0]])


def softplus(x):
    return np.log1p(np.exp(x))


@pytest.mark.parametrize(
    ("name", "discriminator", "generator"),
    [
        (
            "non_saturating",
            softplus(-REAL).mean() + softplus(FAKE).mean(),
            softplus(-FAKE).mean(),
        ),
        ("relativistic", softplus(FAKE - REAL).mean(), softplus(REAL - FAKE).mean()),
    ],
)
def test_pairs_of_losses_by_hand(name, discriminator, generator):
    loss = LOSSES[name]
    real, fake = tf.constant(REAL, tf.float32), tf.constant(FAKE, tf.float32)
    found = sum(loss.discriminator(real, fake).values())
    np.testing.assert_allclose(found, discriminator, rtol=1e-6)
    found = sum(loss.generator(real if loss.needs_real else None, fake).values())
    np.testing.assert_allclose(found, generator, rtol=1e-6)


def test_gradients_of_the_relativistic_pair_by_hand():
    real, fake = tf.constant(REAL, tf.float32), tf.constant(FAKE, tf.float32)
    with tf.GradientTape(persistent=True) as tape:
        tape.watch([real, fake])
        discriminator = LOSSES["relativistic"].discriminator(real, fake)["pairs"]
        generator = LOSSES["relativistic"].generator(real, fake)["pairs"]
    slope = 1 / (1 + np.exp(-(FAKE - REAL))) / 2
    np.testing.assert_allclose(tape.gradient(discriminator, fake), slope, rtol=1e-5)
    np.testing.assert_allclose(tape.gradient(discriminator, real), -slope, rtol=1e-5)
    np.testing.assert_allclose(tape.gradient(generator, fake), slope - 0.5, rtol=1e-5)
