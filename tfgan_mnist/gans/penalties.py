"""Penalties on D: pure functions of D and samples to one number in float32."""

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
