"""Losses: pure functions of D's logits, of any shape, to named terms in float32.

A ``Loss`` is a pair, D's side and G's, each from the logits of real and of generated
samples. The terms of a side are summed and minimised.
"""

from __future__ import annotations

import dataclasses
from collections.abc import Callable, Mapping

import tensorflow as tf

Terms = dict[str, tf.Tensor]


def sigmoid_cross_entropy(logits: tf.Tensor, label: float) -> tf.Tensor:
    """Mean cross-entropy between sigmoid(logits) and one label for all of them."""
    logits = tf.cast(logits, tf.float32)
    return tf.reduce_mean(
        tf.nn.sigmoid_cross_entropy_with_logits(
            labels=tf.fill(tf.shape(logits), label), logits=logits
        )
    )


def _softplus(logits: tf.Tensor) -> tf.Tensor:
    return tf.reduce_mean(tf.nn.softplus(tf.cast(logits, tf.float32)))


def cross_entropy_discriminator(real: tf.Tensor, fake: tf.Tensor) -> Terms:
    """D's side of the minimax game (Goodfellow et al., 2014, arXiv:1406.2661)."""
    return {
        "real": sigmoid_cross_entropy(real, 1.0),
        "fake": sigmoid_cross_entropy(fake, 0.0),
    }


def non_saturating_generator(real: tf.Tensor | None, fake: tf.Tensor) -> Terms:
    """-log D(G(z)) (Goodfellow et al., 2014, arXiv:1406.2661, section 3)."""
    return {"fake": sigmoid_cross_entropy(fake, 1.0)}


def relativistic_discriminator(real: tf.Tensor, fake: tf.Tensor) -> Terms:
    """softplus(D(G(z)) - D(x)), each fake against a real sample of its own.

    Jolicoeur-Martineau, 2018 (arXiv:1807.00734); with R1 and R2 penalties in Huang et
    al., 2024, "The GAN is dead; long live the GAN!" (arXiv:2501.05441, section 2).
    """
    return {"pairs": _softplus(fake - real)}


def relativistic_generator(real: tf.Tensor, fake: tf.Tensor) -> Terms:
    """softplus(D(x) - D(G(z))): the same game from the other side."""
    return {"pairs": _softplus(real - fake)}


@dataclasses.dataclass(frozen=True)
class Loss:
    """Both sides of a game.

    Args:
      discriminator: (real logits, fake logits) → terms.
      generator: the same, for G; the real ones are None unless ``needs_real``.
      needs_real: whether G's side looks at real samples.
      won: the mean loss of a side below which it has won; 0 for a loss that has no
        bottom.
    """

    discriminator: Callable[[tf.Tensor, tf.Tensor], Terms]
    generator: Callable[[tf.Tensor | None, tf.Tensor], Terms]
    needs_real: bool = False
    won: float = 0.02  # of cross-entropy: sure of nearly every sample, and right


LOSSES: Mapping[str, Loss] = {
    "non_saturating": Loss(cross_entropy_discriminator, non_saturating_generator),
    "relativistic": Loss(relativistic_discriminator, relativistic_generator, True),
}
