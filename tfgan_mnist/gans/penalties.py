"""Penalties: pure functions of networks and samples, or of kernels, to float32."""

from __future__ import annotations

from collections.abc import Callable

import tensorflow as tf

Discriminator = Callable[[tf.Tensor], tf.Tensor | list[tf.Tensor]]


def _squared_gradient(discriminator: Discriminator, samples: tf.Tensor):
    """‖∇D(x)‖² [batch] in float32, and all that D answered."""
    with tf.GradientTape() as tape:
        tape.watch(samples)
        answers = discriminator(samples)
        total = tf.reduce_sum(tf.nest.flatten(answers)[0])
    gradient = tf.cast(tape.gradient(total, samples), tf.float32)
    squares = tf.reduce_sum(tf.square(gradient), axis=range(1, gradient.shape.rank))
    return squares, answers


def zero_centred(discriminator: Discriminator, samples: tf.Tensor):
    """½·E‖∇D(x)‖², and what D answered.

    On real samples it is R1, on generated ones R2 (Mescheder et al., 2018,
    arXiv:1801.04406, section 4.1). The gradient is D's with respect to each sample, of
    whatever shape.

    Args:
      discriminator: samples [batch, ...] → logits [batch, 1], or a list that begins
        with them.
      samples: [batch, ...].

    Returns:
      the penalty, a scalar to be multiplied by its weight; and D's answer.
    """
    squares, answers = _squared_gradient(discriminator, samples)
    return 0.5 * tf.reduce_mean(squares), answers


def one_centred(
    discriminator: Discriminator, real: tf.Tensor, fake: tf.Tensor, share: tf.Tensor
) -> tf.Tensor:
    """E(‖∇D(x̂)‖ - 1)² at x̂ = ε·x + (1 - ε)·G(z), the gradient penalty.

    Gulrajani et al., 2017 ("Improved training of Wasserstein GANs", arXiv:1704.00028,
    section 4), whose weight is 10.

    Args:
      discriminator: samples [batch, ...] → logits [batch, 1], without batch
        normalisation: each sample has a gradient of its own.
      real, fake: [batch, ...].
      share: ε [batch], from 0 to 1.

    Returns:
      the penalty, a scalar to be multiplied by its weight.
    """
    share = tf.reshape(share, [-1] + [1] * (real.shape.rank - 1))
    between = share * real + (1.0 - share) * fake
    squares, _ = _squared_gradient(discriminator, between)
    # The root's own gradient is infinite at 0.
    return tf.reduce_mean(tf.square(tf.sqrt(squares + 1e-12) - 1.0))


def orthogonal(kernel: tf.Tensor) -> tf.Tensor:
    """‖WᵀW ⊙ (1 - I)‖², 0 where W's columns are orthogonal, of whatever length.

    Brock et al., 2019 (arXiv:1809.11096, section 3.1), whose weight is 1e-4.

    Args:
      kernel: [..., last]; W is [all but the last, last] axes.

    Returns:
      a scalar in float32.
    """
    matrix = tf.reshape(tf.cast(kernel, tf.float32), [-1, kernel.shape[-1]])
    rows, columns = matrix.shape
    if rows < columns:
        # WWᵀ has the norm of WᵀW, and far fewer places.
        products = tf.matmul(matrix, matrix, transpose_b=True)
        lengths = tf.reduce_sum(tf.square(matrix), axis=0)
        return tf.reduce_sum(tf.square(products)) - tf.reduce_sum(tf.square(lengths))
    products = tf.matmul(matrix, matrix, transpose_a=True)
    off_diagonal = tf.linalg.set_diag(products, tf.zeros(kernel.shape[-1:]))
    return tf.reduce_sum(tf.square(off_diagonal))


def path_lengths(
    synthesis: Callable[[tf.Tensor], tf.Tensor],
    styles: tf.Tensor,
    directions: tf.Tensor,
) -> tf.Tensor:
    """‖Jᵀy‖ [batch], of G's Jacobian J at each row's styles.

    Karras et al., 2020 (arXiv:1912.04958, section 3.2 and equation 4). Of layers with a
    style each, the root of the mean over them of the squared length.

    Args:
      synthesis: styles → images [batch, ...].
      styles: [batch, layers, dimensions].
      directions: y, as images; drawn from a normal distribution, and divided here by
        the root of the number of places, so that lengths do not grow with images.
    """
    with tf.GradientTape() as tape:
        tape.watch(styles)
        images = synthesis(styles)
        places = images.shape[1] * images.shape[2]
        total = tf.reduce_sum(images * directions) / places**0.5
    gradient = tf.cast(tape.gradient(total, styles), tf.float32)
    squares = tf.reduce_mean(tf.reduce_sum(tf.square(gradient), axis=2), axis=1)
    # The root's own gradient is infinite at 0.
    return tf.sqrt(squares + 1e-12)


def normal_divergence(mean: tf.Tensor, log_variance: tf.Tensor) -> tf.Tensor:
    """KL(N(mean, variance) ‖ N(0, 1)) in nats, summed over [.., dims], batch mean."""
    terms = tf.square(mean) + tf.exp(log_variance) - log_variance - 1.0
    return 0.5 * tf.reduce_mean(tf.reduce_sum(terms, axis=-1))
