"""How modes are covered: the protocols of PacGAN (Lin et al., 2018, arXiv:1712.04086).

Of a mixture 2,500 samples (section 4.1), of Stacked MNIST 26,000 (section 4.2).
"""

from __future__ import annotations

import numpy as np
import scipy
from scipy.spatial.distance import cdist


def mode_coverage(
    samples: np.ndarray, centres: np.ndarray, std: float
) -> dict[str, float]:
    """Modes covered, share of high-quality samples, reverse KL divergence.

    A sample is of high quality within three deviations of a centre; a mode is covered
    by one such sample. The divergence, in nats, is that of the shares of samples (of
    any quality) nearest to each mode from equal shares.

    Args:
      samples: [count, dimensions].
      centres: [modes, dimensions].
    """
    distances = cdist(samples, centres)
    nearest = distances.argmin(axis=1)
    good = distances.min(axis=1) <= 3.0 * std
    shares = np.bincount(nearest, minlength=len(centres)) / len(samples)
    equal = np.full(len(centres), 1.0 / len(centres))
    return {
        "modes": float(len(np.unique(nearest[good]))),
        "high_quality": float(good.mean()),
        "reverse_kl": float(scipy.stats.entropy(shares, equal)),
    }


def stacked_coverage(digits: np.ndarray) -> dict[str, float]:
    """How many of the 1,000 triples of digits appear, and the KL divergence of their
    shares from equal ones, in nats.

    Args:
      digits: int [count, 3], from 0 to 9.
    """
    modes = digits @ np.array([100, 10, 1])
    counts = np.bincount(modes, minlength=1000)
    return {
        "modes": float(np.count_nonzero(counts)),
        "kl": float(scipy.stats.entropy(counts / len(digits), np.full(1000, 1e-3))),
    }
