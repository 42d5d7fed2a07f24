"""What the loss of Goodfellow et al., 2014, is at D's optimum, on normal distributions.

Section 4.1: with D at its optimum the minimax value is 2 JS(p ‖ q) - log 4. Section 3:
where D is sure, the gradient of log(1 - D(G(z))) vanishes and that of -log D(G(z)) does
not.
"""

import math

import numpy as np
import pytest
import tensorflow as tf
from scipy import integrate, stats

from tfgan_mnist.gans import losses

COUNT = 200_000
QUANTILES = stats.norm.ppf((np.arange(COUNT) + 0.5) / COUNT)  # of normal(0, 1)


def best_logit(x, distance: float):
    """log p(x) - log q(x) for p = normal(0, 1) and q = normal(distance, 1)."""
    return distance * distance / 2.0 - distance * x


def jensen_shannon(distance: float) -> float:
    p, q = stats.norm(0, 1).pdf, stats.norm(distance, 1).pdf

    def density(x):
        middle = (p(x) + q(x)) / 2
        return 0.5 * sum(
            f(x) * math.log(f(x) / middle) if f(x) else 0.0 for f in (p, q)
        )

    return integrate.quad(density, -10, 10 + distance, limit=200)[0]


def logits_of_both(distance: float) -> tuple[tf.Tensor, tf.Tensor]:
    real = tf.constant(best_logit(QUANTILES, distance), tf.float32)
    fake = tf.constant(best_logit(QUANTILES + distance, distance), tf.float32)
    return real, fake


@pytest.mark.parametrize("distance", [0.0, 0.5, 1.0, 2.0, 4.0])
def test_minimax_at_its_optimum_is_2_js_minus_log_4(distance):
    terms = losses.cross_entropy_discriminator(*logits_of_both(distance))
    value = -float(terms["real"] + terms["fake"])
    expected = 2.0 * jensen_shannon(distance) - math.log(4.0)
    assert value == pytest.approx(expected, rel=0.01, abs=1e-3)


def gradient(loss: losses.Loss, distance: float) -> float:
    """Of G's loss with respect to a shift of all that G makes."""
    shift = tf.Variable(0.0)
    with tf.GradientTape() as tape:
        fakes = tf.constant(QUANTILES + distance, tf.float32) + shift
        (term,) = loss.generator(None, best_logit(fakes, distance)).values()
    return abs(float(tape.gradient(term, shift)))


def test_only_minimax_s_gradient_vanishes_as_the_distributions_part():
    minimax = [gradient(losses.minimax, distance) for distance in (1, 2, 4, 8)]
    assert minimax[0] > 0.1
    assert minimax[-1] < 2e-3 * minimax[0]
    # Of non_saturating the gradient tends to D's slope, which is the distance.
    kept = [gradient(losses.non_saturating, distance) for distance in (1, 2, 4, 8)]
    assert kept == sorted(kept)
    assert kept[-1] == pytest.approx(8.0, rel=0.01)
