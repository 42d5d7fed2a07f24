"""Precision, recall, density and coverage: whose neighbours are whose."""

from __future__ import annotations

import numpy as np

NEIGHBOURS = 5


def radii(features: np.ndarray) -> np.ndarray:
    """The distance [count] of each row to its fifth nearest other row.

    Args:
      features: [count, dimensions], more than five rows.
    """
    from sklearn.neighbors import NearestNeighbors

    search = NearestNeighbors(n_neighbors=NEIGHBOURS, algorithm="brute").fit(features)
    distances, _ = search.kneighbors()
    return distances[:, -1]


def manifold(
    features: np.ndarray,
    real: np.ndarray,
    own_radii: np.ndarray,
    real_radii: np.ndarray,
) -> dict[str, float]:
    """How two sets of features lie in each other, by balls around each point.

    A point's ball reaches to its fifth nearest neighbour of its own set.

    Args:
      features: [count, dimensions], of the samples.
      real: [another count, dimensions].
      own_radii: ``radii`` of the features.
      real_radii: ``radii`` of the real ones.

    Returns:
      ``precision``, the share of samples inside some real image's ball, and ``recall``,
      the share of real images inside some sample's (Kynkäänniemi et al., 2019,
      "Improved precision and recall metric …", section 2); ``density``, how many real
      balls a sample lies in, of five expected, and ``coverage``, the share of real
      balls with a sample in them (Naeem et al., 2020, "Reliable fidelity and diversity
      metrics …", section 3). All but density are at most 1. A few odd samples, far from
      all others, have balls that hold every real image: recall alone tells little.
    """
    from sklearn.metrics import pairwise_distances_chunked

    balls = []  # of real images, around each sample
    covered = np.zeros(len(real), bool)
    recalled = np.zeros(len(real), bool)
    for distances in pairwise_distances_chunked(features, real):
        first = len(balls)
        inside = distances <= real_radii
        balls.extend(inside.sum(axis=1))
        covered |= inside.any(axis=0)
        ours = own_radii[first : first + len(distances), np.newaxis]
        recalled |= (distances <= ours).any(axis=0)
    return {
        "precision": float(np.mean(np.array(balls) > 0)),
        "recall": float(recalled.mean()),
        "density": float(np.mean(balls) / NEIGHBOURS),
        "coverage": float(covered.mean()),
    }


def diversity(own_radii: np.ndarray, real_radii: np.ndarray) -> float:
    """How far apart samples lie, in units of as many real images: 0 if all are one.

    The ratio of the medians of ``radii`` of as many samples as real ones. Ours, for the
    alarm: samples that repeat each other are near each other, in whatever class.
    """
    return float(np.median(own_radii) / np.median(real_radii))
