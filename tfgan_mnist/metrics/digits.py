"""Which digits images show, and whether they are the ones that were asked for."""

from __future__ import annotations

import numpy as np
from scipy import stats

from tfgan_mnist.metrics.judge import CLASSES


def class_histogram(digits: np.ndarray) -> dict[str, float]:
    """Classes that appear, and the divergence of their shares from equal ones.

    Args:
      digits: int [count], the judge's.

    Returns:
      ``classes`` up to 10, and ``class_kl`` in nats. The labels of MNIST's own test
      images are 0.0017 from equal shares.
    """
    shares = np.bincount(digits, minlength=CLASSES) / len(digits)
    equal = np.full(CLASSES, 1.0 / CLASSES)
    return {
        "classes": float(np.count_nonzero(shares)),
        "class_kl": float(stats.entropy(shares, equal)),
    }


def digit_agreement(digits: np.ndarray, labels: np.ndarray) -> float:
    """The share of images whose digit is the one that was asked for.

    Args:
      digits: int [count], the judge's.
      labels: int [count], what was asked for.
    """
    return float(np.mean(digits == labels))
