import numpy as np
import tensorflow as tf

from tfgan_mnist.penalties import zero_centred


def quadratic(samples: tf.Tensor) -> tf.Tensor:
    """D(x) = Σ x², whose gradient is 2x."""
    return tf.reduce_sum(tf.square(samples), axis=[1, 2])[:, tf.newaxis]


def test_the_penalty_is_half_the_mean_squared_gradient():
    samples = tf.constant([[[1.0, 2.0]], [[0.0, -3.0]]])
    penalty, logits = zero_centred(quadratic, samples)
    np.testing.assert_allclose(logits, [[5.0], [9.0]])
    # ‖2x‖² is 4·5 and 4·9.
    np.testing.assert_allclose(penalty, 0.5 * (20.0 + 36.0) / 2)


def test_its_own_gradient_reaches_what_it_was_computed_from():
    weight = tf.Variable(3.0)
    samples = tf.constant([[1.0], [2.0]])
    with tf.GradientTape() as tape:
        penalty, _ = zero_centred(lambda x: weight * x, samples)
    np.testing.assert_allclose(penalty, 4.5)  # ½·w²
    np.testing.assert_allclose(tape.gradient(penalty, weight), 3.0)
