"""The energy distance between two samples of any dimension."""

from __future__ import annotations

import numpy as np
from scipy.spatial.distance import cdist


def energy_distance(one: np.ndarray, other: np.ndarray) -> float:
    """√(2·E|X - Y| - E|X - X'| - E|Y - Y'|), 0 for equal distributions.

    Székely and Rizzo, 2013 ("Energy statistics"). Two samples of one distribution are
    not quite 0 apart, the less so the larger they are.

    Args:
      one: [count, dimensions]; all pairs are held in memory.
      other: [another count, dimensions].
    """
    squared = 2.0 * cdist(one, other).mean() - cdist(one, one).mean()
    squared -= cdist(other, other).mean()
    return float(np.sqrt(max(squared, 0.0)))
