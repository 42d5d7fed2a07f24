"""Which metrics a data set's imitations get; how a toy's samples are drawn."""

from __future__ import annotations

import dataclasses
import functools
from collections.abc import Callable

import numpy as np
import scipy

from tfgan_mnist.data import toys
from tfgan_mnist.evaluation.metrics import manifold
from tfgan_mnist.evaluation.metrics.arcs import BINS, arc_fit
from tfgan_mnist.evaluation.metrics.digits import class_agreement, class_histogram
from tfgan_mnist.evaluation.metrics.energy import energy_distance
from tfgan_mnist.evaluation.metrics.fit import kolmogorov_smirnov, wasserstein_1
from tfgan_mnist.evaluation.metrics.frechet import frechet_distance
from tfgan_mnist.evaluation.metrics.judge import VERSION, Judge, load_judge
from tfgan_mnist.evaluation.metrics.kernel import kernel_distance
from tfgan_mnist.evaluation.metrics.mnist_score import mnist_score
from tfgan_mnist.evaluation.metrics.modes import mode_coverage, stacked_coverage
from tfgan_mnist.evaluation.metrics.moments import moments
from tfgan_mnist.evaluation.metrics.real import Real, load_real
from tfgan_mnist.registry import DATASETS, find
from tfgan_mnist.system.seeds import EVALUATION, run_seed
from tfgan_mnist.visual.toys import histogram, scatter

Metrics = dict[str, float]


@dataclasses.dataclass(frozen=True)
class Protocol:
    """What is measured of a data set's imitations, and how.

    Args:
      count: samples that a finished model is measured by.
      quick_count: samples that a run is measured by, on its way.
      metrics: (features, labels or None) → metrics by name.
      quick_metrics: the same, of those that are watched during a run; its names are
        among those of ``metrics`` for as many samples.
      real: (seed, count) → features of fresh real samples, and their labels or None;
        their metrics are what can be reached.
      features: samples → what metrics are computed from.
      picture: (samples, D's probability of points, title) → pixels; None for images.
      judge: the version of the classifier that the metrics rest on, if any.
      distance: the quick metric by which the best model of a run is kept; none is kept
        if it is empty.
      expected: quick metrics that show a collapse, and the value below which something
        is missing.
      labels: count → the labels int32 [count] that a conditional model is asked for;
        None if a sample is of no single class.
      prepare: raises UserError if the metrics could not be computed later.
      perceive: samples → features whose distances are those that one sees; with them
        walks through the latent space are measured.
    """

    count: int
    quick_count: int
    metrics: Callable[[np.ndarray, np.ndarray | None], Metrics]
    quick_metrics: Callable[[np.ndarray, np.ndarray | None], Metrics]
    real: Callable[[int, int], tuple[np.ndarray, np.ndarray | None]]
    features: Callable[[np.ndarray], np.ndarray] = lambda samples: samples
    picture: Callable[..., np.ndarray] | None = None
    judge: str = ""
    distance: str = ""
    expected: Metrics = dataclasses.field(default_factory=dict)
    labels: Callable[[int], np.ndarray] | None = None
    prepare: Callable[[], object] = lambda: None
    perceive: Callable[[np.ndarray], np.ndarray] | None = None


def _toy(count: int, metrics, real, picture, **options) -> Protocol:
    """A protocol whose every metric is quick enough to be watched."""
    return Protocol(count, count, metrics, metrics, real, picture=picture, **options)


def _fresh(target: toys.Target):
    def real(seed, count):
        return target.draw(count, run_seed(seed, EVALUATION)).numpy(), None

    return real


def gaussian(count: int = 10_000) -> Protocol:
    """Of values that are to be normally distributed."""
    target = toys.Gaussian()
    mean, std = target.mean, target.std
    reach = 4.5 * std

    def metrics(samples, labels=None):
        return moments(samples) | {
            "ks": kolmogorov_smirnov(samples, mean, std),
            "wasserstein_1": wasserstein_1(samples, mean, std),
        }

    def picture(samples, probability, title=""):
        density = scipy.stats.norm(mean, std).pdf
        return histogram(samples, density, (mean - reach, mean + reach), title)

    return _toy(count, metrics, _fresh(target), picture)


def _mixture(target: toys.Mixture, reach: float) -> Protocol:
    real = _fresh(target)

    def metrics(samples, labels=None):
        return mode_coverage(samples, target.centres, target.std)

    def picture(samples, probability, title=""):
        limits = ((-reach, reach), (-reach, reach))
        points = real(1, len(samples))[0]
        return scatter(points, samples, probability, limits, zoom, title)

    # The mode nearest to the middle of the right edge, out to eight deviations.
    x, y = min(target.centres, key=lambda centre: (-centre[0], abs(centre[1])))
    around = 8.0 * target.std
    zoom = ((x - around, x + around), (y - around, y + around))
    modes = float(len(target.centres))
    return _toy(2_500, metrics, real, picture, expected={"modes": modes})


def moons(count: int = 2_500) -> Protocol:
    """Of points on two half moons."""

    def real(seed, count):
        return toys.moons(count, seed), None

    other = 2**31  # seeds of runs and samples are below it: always a fresh real sample

    def metrics(samples, labels=None):
        return arc_fit(samples, toys.MOONS_NOISE) | {
            "energy_distance": energy_distance(samples, real(other, count)[0])
        }

    def picture(samples, probability, title=""):
        limits = ((-1.5, 2.5), (-1.0, 1.5))
        points = real(1, len(samples))[0]
        return scatter(points, samples, probability, limits, title=title)

    return _toy(count, metrics, real, picture, expected={"bins": float(BINS)})


def judged(
    known: Callable[[], tuple[Judge, Real]],
    version: str,
    classes: int,
    count: int = 10_000,
    quick_count: int = 1_000,
    trained: bool = True,
    of_digits: bool = False,
    common: int | None = None,
) -> Protocol:
    """Of images, each metric with its sample count in its name (``fcd_10k``).

    Args:
      known: () → the judge, and what it sees of real images; called when it is needed.
      version: the judge's.
      classes: that it knows; 0 if none.
      count, quick_count: of samples.
      trained: whether it has learned anything. Without, it knows no classes, and the
        names of all metrics begin with "random": distances between what a network with
        random weights makes of the images (Naeem et al., 2020, arXiv:2002.09797,
        section 3.3), which compare with nothing else.
      of_digits: whether its classes are digits, and metrics are named after them.
      common: how many classes are frequent enough to be expected in ``quick_count``
        samples; by default all.
    """

    def real(seed, count):
        # All of the held-out ones at most: another seed, another part of them.
        _, there = known()
        chosen = np.arange(len(there.test))
        if count < len(chosen):
            chosen = np.roll(chosen, -seed * count)[:count]
        labels = there.test_labels[chosen] if classes else None
        return there.test[chosen], labels

    def labels(count):
        # As often as in the data: another mixture of classes has another distance.
        ends = np.cumsum(known()[1].class_shares) * count
        return np.searchsorted(ends, np.arange(count) + 0.5).astype(np.int32)

    @functools.cache
    def training(count):
        """Features and their radii: the same at every evaluation of a run."""
        some = known()[1].train[:count]
        return some, manifold.radii(some)

    def quick(features, labels):
        judge, there = known()
        train, theirs = training(len(features))
        own = manifold.radii(features)
        found = {
            "fcd" if trained else "fd": frechet_distance(
                features, there.mean, there.covariance
            ),
            **manifold.manifold(features, train, own, theirs),
            "diversity": manifold.diversity(own, theirs),
        }
        if not trained:
            return found
        seen = judge.classes_of(features)
        found |= class_histogram(seen, there.class_shares)
        if labels is not None:
            found[f"{kind}_agreement"] = class_agreement(seen, labels)
        return found

    def quick_metrics(features, labels=None):
        found = quick(features, labels)
        del found["density"]  # a line of the log is short
        return named(found, len(features))

    def metrics(features, labels=None):
        judge, there = known()
        distance, spread = kernel_distance(features, there.train)
        more = {"kd": distance, "kd_spread": spread}
        if trained:
            name = "mnist_score" if of_digits else "classifier_score"
            more[name] = mnist_score(judge.probabilities(features))
        return named(quick(features, labels) | more, len(features))

    def named(metrics, count):
        prefix = "" if trained else "random_"
        return counted({f"{prefix}{n}": x for n, x in metrics.items()}, count)

    kind = "digit" if of_digits else "class"
    expected = {"diversity": 0.5}
    if trained:
        expected["classes"] = float(classes if common is None else common)
    distance = "fcd" if trained else "fd"
    (distance,) = named({distance: 0.0}, quick_count)
    return Protocol(
        count,
        quick_count,
        metrics,
        quick_metrics,
        real,
        lambda samples: known()[0].features(samples),
        judge=version,
        distance=distance,
        expected=named(expected, quick_count),
        labels=labels if classes else None,
        prepare=known,
        perceive=lambda samples: known()[0].features(samples),
    )


def digits() -> Protocol:
    """Of MNIST's images, by the packaged judge."""

    def known():
        return load_judge(), load_real()

    return judged(known, VERSION, 10, of_digits=True)


def pictures() -> Protocol:
    """Of images without a judge: nothing is measured."""

    def none(*_):
        return {}

    return Protocol(0, 0, none, none, lambda seed, count: (np.empty([0]), None))


def stacks(count: int = 26_000, quick_count: int = 5_000) -> Protocol:
    """Of three digits at once, as red, green and blue."""

    def of_colours(samples):
        judge, colours = load_judge(), np.split(samples, 3, axis=-1)
        return [judge.features(colour) for colour in colours]

    def features(samples):
        return np.stack(list(map(load_judge().classes_of, of_colours(samples))), axis=1)

    def real(seed, count):
        # Of test images as the judge sees them, like the samples beside them.
        digits = load_judge().classes_of(load_real().test)
        return np.random.default_rng(seed).choice(digits, [count, 3]), None

    def metrics(digits, labels=None):
        return counted(stacked_coverage(digits), len(digits))

    # Of so few even real samples lack some, by chance, and good models many.
    expected = counted({"modes": 500.0}, quick_count)
    return Protocol(
        count,
        quick_count,
        metrics,
        metrics,
        real,
        features,
        judge=VERSION,
        distance=f"kl_{brief_count(quick_count)}",
        expected=expected,
        prepare=lambda: (load_judge(), load_real()),
        perceive=lambda samples: np.concatenate(of_colours(samples), axis=1),
    )


def brief_count(count: int) -> str:
    """10000 → "10k", 2513 → "2513": as it stands in a metric's name."""
    return str(count) if count % 1000 else f"{count // 1000}k"


def counted(metrics: Metrics, count: int) -> Metrics:
    """The metrics under names that say of how many samples they are."""
    return {f"{name}_{brief_count(count)}": x for name, x in metrics.items()}


def ring() -> Protocol:
    """Of points around eight modes on a circle."""
    return _mixture(toys.ring(), 1.5)


def grid() -> Protocol:
    """Of points around 25 modes on a grid."""
    return _mixture(toys.grid(), 5.0)


@functools.cache
def protocol_of(dataset: str) -> Protocol:
    """The protocol of a data set's imitations; of images that are not in ``DATASETS``
    nothing is measured without a judge."""
    return find(DATASETS[dataset].metrics)() if dataset in DATASETS else pictures()


def balanced_labels(count: int, classes: int) -> np.ndarray:
    """int32 [count]: every class as often, one after the other."""
    return np.sort(np.arange(count, dtype=np.int32) % classes)
