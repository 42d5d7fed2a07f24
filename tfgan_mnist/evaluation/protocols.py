"""How samples of each data set are judged and, if they are no images, drawn."""

from __future__ import annotations

import dataclasses
from collections.abc import Callable

import numpy as np
from scipy import stats

from tfgan_mnist.data import toys
from tfgan_mnist.evaluation.metrics import judge, manifold
from tfgan_mnist.evaluation.metrics.arcs import BINS, arc_fit
from tfgan_mnist.evaluation.metrics.digits import class_histogram, digit_agreement
from tfgan_mnist.evaluation.metrics.energy import energy_distance
from tfgan_mnist.evaluation.metrics.fit import kolmogorov_smirnov, wasserstein_1
from tfgan_mnist.evaluation.metrics.frechet import frechet_distance
from tfgan_mnist.evaluation.metrics.kernel import kernel_distance
from tfgan_mnist.evaluation.metrics.mnist_score import mnist_score
from tfgan_mnist.evaluation.metrics.modes import mode_coverage, stacked_coverage
from tfgan_mnist.evaluation.metrics.moments import moments
from tfgan_mnist.evaluation.metrics.real import load_real
from tfgan_mnist.system.seeds import EVALUATION, run_seed
from tfgan_mnist.visual.toys import histogram, scatter

Figures = dict[str, float]
Probability = Callable[[np.ndarray], np.ndarray]


@dataclasses.dataclass(frozen=True)
class Protocol:
    """What is measured of a data set's imitations, and how.

    Args:
      count: how many samples a finished model's figures are of.
      glance_count: how many a run's are of, on its way.
      figures: (what ``examine`` found, labels or None) → figures by name.
      glance: the same, of those that are watched during a run; its names are among
        those of ``figures`` for as many samples.
      real: (seed, count) → what ``examine`` finds in fresh real samples, and their
        labels or None; their figures are what can be reached.
      examine: samples → what figures are computed from.
      picture: (samples, D's probability of points) → pixels; None for images.
      judged_by: the version of the classifier that the figures rest on, if any.
      distance: the figure of a glance by which the best model of a run is kept; none
        is kept if it is empty.
      expected: figures of a glance that collapse shows in, and the value below which
        something is missing.
      labels: count → the labels int32 [count] that a conditional model is asked for;
        None if what is made is no single digit.
    """

    count: int
    glance_count: int
    figures: Callable[[np.ndarray, np.ndarray | None], Figures]
    glance: Callable[[np.ndarray, np.ndarray | None], Figures]
    real: Callable[[int, int], tuple[np.ndarray, np.ndarray | None]]
    examine: Callable[[np.ndarray], np.ndarray] = lambda samples: samples
    picture: Callable[[np.ndarray, Probability], np.ndarray] | None = None
    judged_by: str = ""
    distance: str = ""
    expected: Figures = dataclasses.field(default_factory=dict)
    labels: Callable[[int], np.ndarray] | None = None

    def prepare(self) -> None:
        """Raises UserError if the figures could not be computed later."""
        if self.judged_by:
            judge.load_judge()
            load_real()


def _toy(count: int, figures, real, picture, **options) -> Protocol:
    """A protocol whose every figure is quick enough to be watched."""
    return Protocol(count, count, figures, figures, real, picture=picture, **options)


def _fresh(target: toys.Target):
    def real(seed, count):
        return target.draw(count, run_seed(seed, EVALUATION)).numpy(), None

    return real


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

    return _toy(count, figures, _fresh(target), picture)


def _mixture(target: toys.Mixture, reach: float, count: int = 2_500) -> Protocol:
    real = _fresh(target)

    def figures(samples, labels=None):
        return mode_coverage(samples, target.centres, target.deviation)

    def picture(samples, probability):
        limits = ((-reach, reach), (-reach, reach))
        return scatter(real(1, len(samples))[0], samples, probability, limits)

    modes = float(len(target.centres))
    return _toy(count, figures, real, picture, expected={"modes": modes})


def _moons(count: int = 2_500) -> Protocol:
    def real(seed, count):
        return toys.moons(count, seed), None

    other = 2**31  # seeds of runs and samples are below it: always a fresh real sample

    def figures(samples, labels=None):
        return arc_fit(samples, toys.MOONS_NOISE) | {
            "energy_distance": energy_distance(samples, real(other, count)[0])
        }

    def picture(samples, probability):
        limits = ((-1.5, 2.5), (-1.0, 1.5))
        return scatter(real(1, len(samples))[0], samples, probability, limits)

    return _toy(count, figures, real, picture, expected={"bins": float(BINS)})


def _digits(count: int = 10_000, glance_count: int = 1_000) -> Protocol:
    """Figures of images, each with its sample count in its name (``fcd_10k``)."""

    def real(seed, count):
        # All of the 10,000 held-out ones at most: another seed, another part of them.
        known = load_real()
        chosen = np.roll(np.arange(len(known.test)), -seed * count)[:count]
        return known.test[chosen], known.test_labels[chosen]

    def labels(count):
        # As often as in the data: another mixture of classes has another distance.
        ends = np.cumsum(load_real().class_shares) * count
        return np.searchsorted(ends, np.arange(count) + 0.5).astype(np.int32)

    def quick(features, labels):
        known = load_real()
        train = known.train[: len(features)]
        digits = judge.digits_of(features)
        own, there = manifold.radii(features), manifold.radii(train)
        found = {
            "fcd": frechet_distance(features, known.mean, known.covariance),
            **manifold.manifold(features, train, own, there),
            "diversity": manifold.diversity(own, there),
            **class_histogram(digits, known.class_shares),
        }
        if labels is not None:
            found["digit_agreement"] = digit_agreement(digits, labels)
        return found

    def glance(features, labels=None):
        found = quick(features, labels)
        del found["density"]  # a line of the log is short
        return counted(found, len(features))

    def figures(features, labels=None):
        distance, spread = kernel_distance(features, load_real().train)
        more = {
            "kd": distance,
            "kd_spread": spread,
            "mnist_score": mnist_score(judge.probabilities(features)),
        }
        return counted(quick(features, labels) | more, len(features))

    return Protocol(
        count,
        glance_count,
        figures,
        glance,
        real,
        judge.examine,
        judged_by=judge.VERSION,
        distance=f"fcd_{brief_count(glance_count)}",
        expected=counted({"classes": 10.0, "diversity": 0.5}, glance_count),
        labels=labels,
    )


def _stacked(count: int = 26_000, glance_count: int = 5_000) -> Protocol:
    def examine(samples):
        colours = np.split(samples, 3, axis=-1)
        return np.stack(
            [judge.digits_of(judge.examine(colour)) for colour in colours], axis=1
        )

    def real(seed, count):
        # Of test images as the judge sees them, like the samples beside them.
        digits = judge.digits_of(load_real().test)
        return np.random.default_rng(seed).choice(digits, [count, 3]), None

    def figures(digits, labels=None):
        return counted(stacked_coverage(digits), len(digits))

    # Of so few even real samples lack some, by chance, and good models many.
    expected = counted({"modes": 500.0}, glance_count)
    return Protocol(
        count,
        glance_count,
        figures,
        figures,
        real,
        examine,
        judged_by=judge.VERSION,
        distance=f"kl_{brief_count(glance_count)}",
        expected=expected,
    )


def brief_count(count: int) -> str:
    """10000 → "10k", 2513 → "2513": as it stands in a figure's name."""
    return str(count) if count % 1000 else f"{count // 1000}k"


def counted(figures: Figures, count: int) -> Figures:
    """The figures under names that say of how many samples they are."""
    return {f"{name}_{brief_count(count)}": x for name, x in figures.items()}


PROTOCOLS: dict[str, Protocol] = {
    "mnist": _digits(),
    "mnist5k": _digits(),
    "stacked": _stacked(),
    "stacked5k": _stacked(),
    "gaussian": _gaussian(),
    "moons": _moons(),
    "ring": _mixture(toys.ring(), 1.5),
    "grid": _mixture(toys.grid(), 5.0),
}


def even_labels(count: int, classes: int) -> np.ndarray:
    """int32 [count]: every class as often, one after the other."""
    return np.sort(np.arange(count, dtype=np.int32) % classes)
