import numpy as np
import tensorflow as tf

from tfgan_mnist.gans.penalties import (
    one_centred,
    orthogonal,
    path_lengths,
    zero_centred,
)


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


def test_the_gradient_penalty_is_taken_between_real_and_fake():
    """D(x) = Σ x², whose gradient at x̂ has the length 2‖x̂‖."""
    real = tf.constant([[[1.0, 0.0]], [[3.0, 4.0]]])
    fake = tf.constant([[[0.0, 0.0]], [[0.0, 0.0]]])
    share = tf.constant([0.5, 1.0])
    # x̂ is (½, 0) and (3, 4): lengths of the gradient 1 and 10.
    penalty = one_centred(quadratic, real, fake, share)
    np.testing.assert_allclose(penalty, (0.0 + 81.0) / 2, rtol=1e-5)


def test_the_gradient_penalty_moves_what_it_was_computed_from():
    """(|w| - 1)² has the gradient 2(|w| - 1), and at w = 0 a finite one."""
    for value, expected in ((3.0, 4.0), (0.5, -1.0), (0.0, 0.0)):
        weight = tf.Variable(value)
        samples = tf.constant([[1.0], [2.0]])
        with tf.GradientTape() as tape:
            penalty = one_centred(
                lambda x, w=weight: w * x, samples, samples, tf.constant([0.1, 0.9])
            )
        np.testing.assert_allclose(penalty, (value - 1.0) ** 2, rtol=1e-4)
        np.testing.assert_allclose(tape.gradient(penalty, weight), expected, atol=1e-4)


def test_the_orthogonal_penalty_is_zero_on_orthogonal_kernels():
    columns = np.linalg.qr(np.random.default_rng(1).normal(size=[18, 4]))[0]
    kernel = (columns * [1.0, 2.0, 0.5, 3.0]).reshape(3, 3, 2, 4)
    np.testing.assert_allclose(orthogonal(tf.constant(kernel)), 0.0, atol=1e-9)


def test_the_orthogonal_penalty_of_two_columns_is_their_product_squared_twice():
    kernel = tf.constant([[1.0, 3.0], [2.0, -1.0]])  # (1, 2)·(3, -1) = 1
    np.testing.assert_allclose(orthogonal(kernel), 2.0)
    kernel = tf.constant([[1.0, 3.0], [2.0, 1.0]])  # 5
    np.testing.assert_allclose(orthogonal(kernel), 50.0)


def test_the_orthogonal_penalty_of_more_columns_than_rows_is_that_of_all_pairs():
    kernel = np.random.default_rng(1).normal(size=[2, 3, 50]).astype(np.float32)
    matrix = kernel.reshape(6, 50).astype(np.float64)
    products = matrix.T @ matrix
    np.fill_diagonal(products, 0.0)
    expected = (products**2).sum()
    np.testing.assert_allclose(orthogonal(tf.constant(kernel)), expected, rtol=1e-5)


def test_path_lengths_of_a_linear_map_are_those_of_its_transpose():
    rng = np.random.default_rng(1)
    batch, layers, numbers, shape = 3, 2, 5, (4, 4, 1)
    jacobian = rng.normal(size=[layers, numbers, *shape]).astype(np.float32)
    styles = tf.constant(rng.normal(size=[batch, layers, numbers]), tf.float32)
    directions = rng.normal(size=[batch, *shape]).astype(np.float32)

    def synthesis(styles):
        return tf.einsum("bld,ldhwc->bhwc", styles, jacobian)

    lengths = path_lengths(synthesis, styles, tf.constant(directions))
    back = np.einsum("ldhwc,bhwc->bld", jacobian, directions) / 4.0
    expected = np.sqrt((back**2).sum(axis=2).mean(axis=1))
    np.testing.assert_allclose(lengths, expected, rtol=1e-5)


def test_path_lengths_move_what_makes_the_map():
    """G(w) = a·w: the length is |a|·‖y‖, whose gradient in a is ‖y‖."""
    factor = tf.Variable(-2.0)
    styles, directions = tf.ones([1, 1, 4]), tf.ones([1, 2, 2, 1])
    with tf.GradientTape() as tape:
        lengths = path_lengths(
            lambda w: factor * tf.reshape(w, [1, 2, 2, 1]), styles, directions
        )
    np.testing.assert_allclose(lengths, [2.0], rtol=1e-5)  # ‖y‖ is √4 / √4
    np.testing.assert_allclose(tape.gradient(lengths, factor), -1.0, rtol=1e-5)
