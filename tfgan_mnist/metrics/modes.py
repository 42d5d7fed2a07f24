"""How a mixture's modes are covered: the protocol of PacGAN.

Lin et al., 2018 (arXiv:1712.04086, section 4.1), on 2,500 samples.
"""

from __future__ import annotations

import numpy as np
from scipy import stats
from scipy.spatial.distance import cdist


def mode_coverage(
    samples: np.ndarray, centres: np.ndarray, deviation: float
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
    good = distances.min(axis=1) <= 3.0 * deviation
    shares = np.bincount(nearest, minlength=len(centres)) / len(samples)
    equal = np.full(len(centres), 1.0 / len(centres))
    return {
        "modes": float(len(np.unique(nearest[good]))),
        "high_quality": float(good.mean()),
        "reverse_kl": float(stats.entropy(shares, equal)),
    }
