"""What Goodfellow et al., 2014 (arXiv:1406.2661) say of their losses, as a picture.

    python scripts/experiments/theory.py

Two normal distributions of standard deviation 1 move apart, and D is at its optimum:
log p(x) - log q(x). Left: the minimax value by this package's losses, over 2 JS - log 4
(section 4.1). Right: how steep G's loss is along the distance (section 3). Writes
samples/losses/theory.png.
"""

from __future__ import annotations

import math
import sys
from collections.abc import Sequence

import numpy as np
from common import ROOT, ScriptFlags, read_words

from tfgan_mnist.system import command

PICTURE = ROOT / "samples" / "losses" / "theory.png"
COUNT = 20_000


def jensen_shannon(distance: float) -> float:
    """The divergence in nats of normal(0, 1) and normal(distance, 1)."""
    from scipy import integrate, special, stats

    p, q = stats.norm(0, 1).pdf, stats.norm(distance, 1).pdf

    def density(x):
        middle = (p(x) + q(x)) / 2
        return 0.5 * (special.rel_entr(p(x), middle) + special.rel_entr(q(x), middle))

    return integrate.quad(density, -10, 10 + distance, limit=200)[0]


def main(argv: Sequence[str]) -> None:
    read_words(argv, __doc__, ScriptFlags)
    from tfgan_mnist.system.runtime import load_tensorflow

    load_tensorflow()
    import tensorflow as tf
    from matplotlib.figure import Figure
    from scipy import stats

    from tfgan_mnist.gans import losses

    normal = stats.norm.ppf((np.arange(COUNT) + 0.5) / COUNT).astype(np.float32)
    distances = np.linspace(0.0, 8.0, 33)
    values, slopes = [], {"minimax": [], "non_saturating": []}
    for distance in distances:

        def logit(x, distance=distance):
            return distance**2 / 2.0 - distance * x

        terms = losses.cross_entropy_discriminator(
            logit(normal), logit(normal + distance)
        )
        values.append(-float(terms["real"] + terms["fake"]))
        for name, found in slopes.items():
            shift = tf.Variable(float(distance))
            with tf.GradientTape() as tape:
                fakes = normal + shift
                (term,) = getattr(losses, name).generator(None, logit(fakes)).values()
            found.append(abs(float(tape.gradient(term, shift))))

    figure = Figure(figsize=(9, 3.5), dpi=100, layout="constrained")
    left, right = figure.subplots(1, 2)
    expected = [2.0 * jensen_shannon(d) - math.log(4.0) for d in distances]
    left.plot(distances, expected, label="2 JS - log 4", linewidth=3, color="0.7")
    left.plot(distances, values, label="minimax, D at its optimum", linestyle="--")
    for name, found in slopes.items():
        right.plot(distances, found, label=name)
    left.set(title="the value of the game", xlabel="distance of the means")
    right.set(title="slope of G's loss", xlabel="distance of the means")
    for axes in (left, right):
        axes.grid(alpha=0.3)
        axes.legend()
    PICTURE.parent.mkdir(exist_ok=True)
    figure.savefig(PICTURE)


if __name__ == "__main__":
    sys.exit(command.run(main))
