import math

import numpy as np
import pytest
import tensorflow as tf

from tfgan_mnist.losses import sigmoid_cross_entropy


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
