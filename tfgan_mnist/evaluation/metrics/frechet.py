"""The Fréchet distance between two sets of features, each taken for a Gaussian."""

from __future__ import annotations

import numpy as np
from scipy import linalg

FEWEST = 100
"""Samples whose covariance says something."""


def frechet_distance(
    features: np.ndarray, mean: np.ndarray, covariance: np.ndarray
) -> float:
    """|μ - m|² + tr(Σ + C - 2(ΣC)^½), 0 for equal means and covariances.

    Heusel et al., 2017 ("GANs trained by a two time-scale update rule …", section
    "Experiments"), who take an Inception network's features; on those of a classifier
    of the data's own kind it is called the Fréchet classifier distance. It has a bias
    that falls with the count, so it compares only with distances of as many samples.

    Args:
      features: [count, dimensions], of the samples; at least 2.
      mean: [dimensions], the real data's.
      covariance: [dimensions, dimensions], the real data's.
    """
    features = features.astype(np.float64)
    own = np.atleast_2d(np.cov(features, rowvar=False))
    # The eigenvalues of ΣC are those of the symmetric C^½ΣC^½, and not negative.
    values, vectors = linalg.eigh(covariance)
    root = (vectors * np.sqrt(np.maximum(values, 0.0))) @ vectors.T
    product = np.maximum(linalg.eigvalsh(root @ own @ root), 0.0)
    away = features.mean(axis=0) - mean
    traces = np.trace(own) + np.trace(covariance) - 2.0 * np.sqrt(product).sum()
    return float(away @ away + traces)
