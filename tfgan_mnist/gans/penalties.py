"""Penalties on D: pure functions of D and samples to one number in float32."""

from __future__ import annotations

from collections.abc import Callable

import tensorflow as tf

Judge = Callable[[tf.Tensor], tf.Tensor]


def _squared_gradient(judge: Judge, samples: tf.Tensor):
    """‖∇D(x)‖² [batch] in float32, and the logits D(x) that it was taken of."""
    with tf.GradientTape() as tape:
        tape.watch(samples)
        logits = judge(samples)
        total = tf.reduce_sum(logits)
    gradient = tf.cast(tape.gradient(total, samples), tf.float32)
    squares = tf.reduce_sum(tf.square(gradient), axis=range(1, gradient.shape.rank))
    return squares, logits


def zero_centred(judge: Judge, samples: tf.Tensor):
    """½·E‖∇D(x)‖², and the logits D(x) that it was taken of.

    On real samples it is R1, on generated ones R2 (Mescheder et al., 2018,
    arXiv:1801.04406, section 4.1). The gradient is D's with respect to each sample, of
    whatever shape.

    Args:
      judge: samples [batch, ...] → logits [batch, 1].
      samples: [batch, ...].

    Returns:
      the penalty, a scalar to be multiplied by its weight; and the logits.
    """
    squares, logits = _squared_gradient(judge, samples)
    return 0.5 * tf.reduce_mean(squares), logits


def one_centred(
    judge: Judge, real: tf.Tensor, fake: tf.Tensor, share: tf.Tensor
) -> tf.Tensor:
    """E(‖∇D(x̂)‖ - 1)² at x̂ = ε·x + (1 - ε)·G(z), the gradient penalty.

    Gulrajani et al., 2017 ("Improved training of Wasserstein GANs", arXiv:1704.00028,
    section 4), whose weight is 10.

    Args:
      judge: samples [batch, ...] → logits [batch, 1], without batch normalisation: each
        sample has a gradient of its own.
      real, fake: [batch, ...].
      share: ε [batch], from 0 to 1.

    Returns:
      the penalty, a scalar to be multiplied by its weight.
    """
    share = tf.reshape(share, [-1] + [1] * (real.shape.rank - 1))
    between = share * real + (1.0 - share) * fake
    squares, _ = _squared_gradient(judge, between)
    # The root's own gradient is infinite at 0.
    return tf.reduce_mean(tf.square(tf.sqrt(squares + 1e-12) - 1.0))
