"""Distances of samples of one number from the normal distribution they should have."""

from __future__ import annotations

import numpy as np
import scipy


def kolmogorov_smirnov(samples: np.ndarray, mean: float, std: float) -> float:
    """The largest difference between the two distribution functions, from 0 to 1.

    Args:
      samples: [count] or [count, 1].
      mean, std: of the normal distribution.
    """
    return float(scipy.stats.kstest(np.ravel(samples), "norm", (mean, std)).statistic)


def wasserstein_1(samples: np.ndarray, mean: float, std: float) -> float:
    """The mean distance over which mass must be moved, in the samples' unit.

    The normal distribution is represented by as many of its quantiles as there are
    samples, so that nothing is drawn.
    """
    samples = np.ravel(samples)
    places = (np.arange(len(samples)) + 0.5) / len(samples)
    quantiles = scipy.stats.norm.ppf(places, mean, std)
    return float(scipy.stats.wasserstein_distance(samples, quantiles))
