"""Which digits images show, and whether they are the ones that were asked for."""

from __future__ import annotations

import numpy as np
import scipy


def class_histogram(digits: np.ndarray, shares: np.ndarray) -> dict[str, float]:
    """Classes that appear, and the divergence of their shares from the data's.

    Args:
      digits: int [count], the judge's.
      shares: [classes], the data's.

    Returns:
      ``classes``, how many appear at least a tenth as often as in the data (a stray
      sample, which a judge may have misread, is no class), and ``class_kl`` in nats.
    """
    found = np.bincount(digits, minlength=len(shares)) / len(digits)
    return {
        "classes": float(np.count_nonzero(found >= 0.1 * shares)),
        "class_kl": float(scipy.stats.entropy(found, shares)),
    }


def class_agreement(digits: np.ndarray, labels: np.ndarray) -> float:
    """The share of images whose digit is the one that was asked for.

    Args:
      digits: int [count], the judge's.
      labels: int [count], what was asked for.
    """
    return float(np.mean(digits == labels))
