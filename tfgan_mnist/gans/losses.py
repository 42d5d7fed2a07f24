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


def _mean(values: tf.Tensor) -> tf.Tensor:
    return tf.reduce_mean(tf.cast(values, tf.float32))


def _softplus(logits: tf.Tensor) -> tf.Tensor:
    return _mean(tf.nn.softplus(tf.cast(logits, tf.float32)))


def cross_entropy_discriminator(real: tf.Tensor, fake: tf.Tensor) -> Terms:
    """D's side of the minimax game (Goodfellow et al., 2014, arXiv:1406.2661)."""
    return {
        "real": sigmoid_cross_entropy(real, 1.0),
        "fake": sigmoid_cross_entropy(fake, 0.0),
    }


def minimax_generator(real: tf.Tensor | None, fake: tf.Tensor) -> Terms:
    """log(1 - D(G(z))): the same game's other side, whose gradient vanishes where D is
    sure (Goodfellow et al., 2014, arXiv:1406.2661, section 3)."""
    return {"fake": -sigmoid_cross_entropy(fake, 0.0)}


def non_saturating_generator(real: tf.Tensor | None, fake: tf.Tensor) -> Terms:
    """-log D(G(z)) (Goodfellow et al., 2014, arXiv:1406.2661, section 3)."""
    return {"fake": sigmoid_cross_entropy(fake, 1.0)}


def least_squares_discriminator(real: tf.Tensor, fake: tf.Tensor) -> Terms:
    """½(D(x) - 1)² + ½D(G(z))² (Mao et al., 2017, arXiv:1611.04076, equation 9)."""
    return {
        "real": 0.5 * _mean(tf.square(real - 1.0)),
        "fake": 0.5 * _mean(tf.square(fake)),
    }


def least_squares_generator(real: tf.Tensor | None, fake: tf.Tensor) -> Terms:
    """½(D(G(z)) - 1)²: the other side of the same equation."""
    return {"fake": 0.5 * _mean(tf.square(fake - 1.0))}


def wasserstein_discriminator(real: tf.Tensor, fake: tf.Tensor) -> Terms:
    """D(G(z)) - D(x), of a D that is kept Lipschitz by clipping its weights or by a
    gradient penalty (Arjovsky et al., 2017, arXiv:1701.07875, algorithm 1)."""
    return {"real": -_mean(real), "fake": _mean(fake)}


def wasserstein_generator(real: tf.Tensor | None, fake: tf.Tensor) -> Terms:
    """-D(G(z)) (the same)."""
    return {"fake": -_mean(fake)}


def hinge_discriminator(real: tf.Tensor, fake: tf.Tensor) -> Terms:
    """max(0, 1 - D(x)) + max(0, 1 + D(G(z))) (Lim and Ye, 2017, arXiv:1705.02894);
    G's side is Wasserstein's."""
    return {
        "real": _mean(tf.nn.relu(1.0 - real)),
        "fake": _mean(tf.nn.relu(1.0 + fake)),
    }


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
      won: by side, the mean loss below which it has won; a side whose loss has no
        lower bound is left out.
    """

    discriminator: Callable[[tf.Tensor, tf.Tensor], Terms]
    generator: Callable[[tf.Tensor | None, tf.Tensor], Terms]
    needs_real: bool = False
    won: Mapping[str, float] = dataclasses.field(default_factory=dict)


_WON = 0.02  # of a loss that is 0 for a side that is always right, and sure

# By the names that the flags have for them.
non_saturating = Loss(
    cross_entropy_discriminator,
    non_saturating_generator,
    won={"discriminator": _WON, "generator": _WON},
)
minimax = Loss(
    cross_entropy_discriminator, minimax_generator, won={"discriminator": _WON}
)
least_squares = Loss(
    least_squares_discriminator,
    least_squares_generator,
    won={"discriminator": _WON, "generator": _WON},
)
wasserstein = Loss(wasserstein_discriminator, wasserstein_generator)
hinge = Loss(hinge_discriminator, wasserstein_generator, won={"discriminator": _WON})
relativistic = Loss(
    relativistic_discriminator,
    relativistic_generator,
    needs_real=True,
    won={"discriminator": _WON, "generator": _WON},
)
