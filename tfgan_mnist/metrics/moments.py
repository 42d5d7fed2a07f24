"""The first four moments of one number."""

from __future__ import annotations

import numpy as np
from scipy import stats


def moments(samples: np.ndarray) -> dict[str, float]:
    """Mean, standard deviation, skewness and excess kurtosis (a normal's are 0).

    Args:
      samples: [count] or [count, 1].
    """
    samples = np.asarray(samples, np.float64).ravel()
    return {
        "mean": float(samples.mean()),
        "deviation": float(samples.std()),
        "skewness": float(stats.skew(samples)),
        "excess_kurtosis": float(stats.kurtosis(samples)),
    }
