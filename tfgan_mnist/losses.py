"""Losses: pure functions of D's logits, of any shape, to one number in float32."""

from __future__ import annotations

import tensorflow as tf


def sigmoid_cross_entropy(logits: tf.Tensor, label: float) -> tf.Tensor:
    """Mean cross-entropy between sigmoid(logits) and one label for all of them.

    With label 1 on real and 0 on generated images, summed, it is D's side of the
    minimax game; with label 1 on generated images, G's non-saturating side (Goodfellow
    et al., 2014, arXiv:1406.2661, section 3).
    """
    logits = tf.cast(logits, tf.float32)
    return tf.reduce_mean(
        tf.nn.sigmoid_cross_entropy_with_logits(
            labels=tf.fill(tf.shape(logits), label), logits=logits
        )
    )
