import math

import numpy as np
import pytest
import tensorflow as tf

from tfgan_mnist import registry
from tfgan_mnist.gans.losses import Loss, sigmoid_cross_entropy

LOSSES: dict[str, Loss] = {n: registry.find(p) for n, p in registry.LOSSES.items()}


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
        # log(1 - sigmoid(x)) is -softplus(x).
        (
            "minimax",
            softplus(-REAL).mean() + softplus(FAKE).mean(),
            -softplus(FAKE).mean(),
        ),
        # ½·(1 + 1)/2 + ½·(1 + 9)/2, and ½·(4 + 4)/2.
        ("least_squares", 0.5 + 2.5, 2.0),
        # -(0 + 2)/2 + (-1 + 3)/2, and -(-1 + 3)/2.
        ("wasserstein", 0.0, -1.0),
        # (1 + 0)/2 + (0 + 4)/2.
        ("hinge", 2.5, -1.0),
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


def sigmoid(x):
    return 1 / (1 + np.exp(-x))


@pytest.mark.parametrize(
    ("name", "on_real", "on_fake", "of_generator"),
    [
        ("non_saturating", sigmoid(REAL) - 1, sigmoid(FAKE), sigmoid(FAKE) - 1),
        ("minimax", sigmoid(REAL) - 1, sigmoid(FAKE), -sigmoid(FAKE)),
        ("least_squares", REAL - 1, FAKE, FAKE - 1),
        ("wasserstein", [[-1], [-1]], [[1], [1]], [[-1], [-1]]),
        ("hinge", [[-1], [0]], [[0], [1]], [[-1], [-1]]),
    ],
)
def test_gradients_by_hand(name, on_real, on_fake, of_generator):
    """Of the sum over the batch: the mean's are half of it."""
    real, fake = tf.constant(REAL, tf.float32), tf.constant(FAKE, tf.float32)
    with tf.GradientTape(persistent=True) as tape:
        tape.watch([real, fake])
        discriminator = sum(LOSSES[name].discriminator(real, fake).values())
        generator = sum(LOSSES[name].generator(None, fake).values())
    for loss, logits, expected in (
        (discriminator, real, on_real),
        (discriminator, fake, on_fake),
        (generator, fake, of_generator),
    ):
        found = 2 * tape.gradient(loss, logits)
        np.testing.assert_allclose(found, expected, atol=1e-6)


def test_a_side_has_won_where_its_loss_has_a_bottom():
    """A sure and right D, and a G that fools a D as sure, are below the level."""
    sure = tf.constant([[12.0]])
    for loss in LOSSES.values():
        right = tf.ones([1, 1]) if loss is LOSSES["least_squares"] else sure
        wrong = tf.zeros([1, 1]) if loss is LOSSES["least_squares"] else -sure
        sides = {
            "discriminator": loss.discriminator(right, wrong),
            "generator": loss.generator(wrong, right),
        }
        for side, level in loss.won.items():
            assert sum(sides[side].values()) < level
        even = loss.discriminator(tf.zeros([1, 1]), tf.zeros([1, 1]))
        assert sum(even.values()) > loss.won.get("discriminator", -1.0)


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
