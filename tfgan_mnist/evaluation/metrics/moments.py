"""The first four moments of one number."""

from __future__ import annotations

import numpy as np
import scipy


def moments(samples: np.ndarray) -> dict[str, float]:
    """Mean, standard deviation, skewness and excess kurtosis (a normal's are 0).

    Of samples that are all alike, which have no shape, the last two are 0 as well.

    Args:
      samples: [count] or [count, 1].
    """
    samples = np.asarray(samples, np.float64).ravel()
    mean, std = float(samples.mean()), float(samples.std())
    alike = std <= 1e-6 * max(1.0, abs(mean))
    return {
        "mean": mean,
        "std": std,
        "skewness": 0.0 if alike else float(scipy.stats.skew(samples)),
        "excess_kurtosis": 0.0 if alike else float(scipy.stats.kurtosis(samples)),
    }
