"""Penalties on D: pure functions of D and samples to one number in float32."""

from __future__ import annotations

from collections.abc import Callable

import tensorflow as tf


def zero_centred(judge: Callable[[tf.Tensor], tf.Tensor], samples: tf.Tensor):
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
    with tf.GradientTape() as tape:
        tape.watch(samples)
        logits = judge(samples)
        total = tf.reduce_sum(logits)
    gradient = tf.cast(tape.gradient(total, samples), tf.float32)
    squares = tf.reduce_sum(tf.square(gradient), axis=range(1, gradient.shape.rank))
    return 0.5 * tf.reduce_mean(squares), logits
