"""How samples of each data set are judged and, if they are no images, drawn."""

from __future__ import annotations

import dataclasses
from collections.abc import Callable

import numpy as np
from scipy import stats

from tfgan_mnist.data import toys
from tfgan_mnist.latents import EVALUATION, run_seed
from tfgan_mnist.metrics import judge
from tfgan_mnist.metrics.arcs import arc_fit
from tfgan_mnist.metrics.digits import class_histogram, digit_agreement
from tfgan_mnist.metrics.energy import energy_distance
from tfgan_mnist.metrics.fit import kolmogorov_smirnov, wasserstein_1
from tfgan_mnist.metrics.modes import mode_coverage
from tfgan_mnist.metrics.moments import moments
from tfgan_mnist.visual.toys import histogram, scatter

Figures = dict[str, float]
Probability = Callable[[np.ndarray], np.ndarray]


@dataclasses.dataclass(frozen=True)
class Protocol:
    """What is measured of a data set's imitations, and how.

    Args:
      count: how many samples the figures are of.
      figures: (samples, their labels or None) → figures by name.
      real: seed → as many fresh real samples, whose figures are what can be reached;
        None where a package cannot make them.
      picture: (samples, D's probability of points) → pixels; None for images.
      judged_by: the version of the classifier that the figures rest on, if any.
    """

    count: int
    figures: Callable[[np.ndarray, np.ndarray | None], Figures]
    real: Callable[[int], np.ndarray] | None = None
    picture: Callable[[np.ndarray, Probability], np.ndarray] | None = None
    judged_by: str = ""

    def prepare(self) -> None:
        """Raises UserError if the figures could not be computed later."""
        if self.judged_by:
            judge.load_judge()

    def reference(self, seed: int) -> Figures:
        """The figures of fresh real samples; empty if there are none to be had."""
        return self.figures(self.real(seed), None) if self.real else {}


def _fresh(target: toys.Target, count: int) -> Callable[[int], np.ndarray]:
    return lambda seed: target.draw(count, run_seed(seed, EVALUATION)).numpy()


def _gaussian(count: int = 10_000) -> Protocol:
    target = toys.Gaussian()
    mean, deviation = target.mean, target.deviation
    reach = 4.5 * deviation

    def figures(samples, labels=None):
        return moments(samples) | {
            "ks": kolmogorov_smirnov(samples, mean, deviation),
            "wasserstein_1": wasserstein_1(samples, mean, deviation),
        }

    def picture(samples, probability):
        density = stats.norm(mean, deviation).pdf
        return histogram(samples, density, (mean - reach, mean + reach))

    return Protocol(count, figures, _fresh(target, count), picture)


def _mixture(target: toys.Mixture, reach: float, count: int = 2_500) -> Protocol:
    real = _fresh(target, count)

    def figures(samples, labels=None):
        return mode_coverage(samples, target.centres, target.deviation)

    def picture(samples, probability):
        limits = ((-reach, reach), (-reach, reach))
        return scatter(real(1)[: len(samples)], samples, probability, limits)

    return Protocol(count, figures, real, picture)


def _moons(count: int = 2_500) -> Protocol:
    def real(seed):
        return toys.moons(count, seed)

    other = 2**31  # seeds of runs and samples are below it: always a fresh real sample

    def figures(samples, labels=None):
        return arc_fit(samples, toys.MOONS_NOISE) | {
            "energy_distance": energy_distance(samples, real(other))
        }

    def picture(samples, probability):
        limits = ((-1.5, 2.5), (-1.0, 1.5))
        return scatter(real(1)[: len(samples)], samples, probability, limits)

    return Protocol(count, figures, real, picture)


def _digits(count: int = 10_000) -> Protocol:
    def figures(samples, labels=None):
        _, digits = judge.examine(samples)
        found = class_histogram(digits)
        if labels is not None:
            found["digit_agreement"] = digit_agreement(digits, labels)
        return found

    return Protocol(count, figures, judged_by=judge.VERSION)


PROTOCOLS: dict[str, Protocol] = {
    "mnist": _digits(),
    "mnist5k": _digits(),
    "gaussian": _gaussian(),
    "moons": _moons(),
    "ring": _mixture(toys.ring(), 1.5),
    "grid": _mixture(toys.grid(), 5.0),
}


def even_labels(count: int, classes: int) -> np.ndarray:
    """int32 [count]: every class as often, one after the other."""
    return np.sort(np.arange(count, dtype=np.int32) % classes)
