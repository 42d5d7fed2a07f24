"""Perceptual path length: how much samples change along short steps in latent space."""

from __future__ import annotations

import numpy as np

EPSILON = 1e-4


def path_length(
    features: np.ndarray, further: np.ndarray, epsilon: float = EPSILON
) -> float:
    """Mean squared distance of features over the squared step.

    Karras et al., 2019 (arXiv:1812.04948, section 4.1, l_Z): E[d(G(slerp(z1, z2; t)),
    G(slerp(z1, z2; t + ε))) / ε²], with t uniform in (0, 1). Theirs takes d from a VGG
    network's features; here it is the squared Euclidean distance of the judge's, so
    that values are comparable among models by one judge only. Where G jumps, the mean
    is of a few huge values, and no two sets of samples agree on it.

    Args:
      features: [count, dimensions], of samples at t.
      further: [count, dimensions], of samples at t + ε.
      epsilon: the step.
    """
    steps = further.astype(np.float64) - features
    return float(np.mean(np.sum(steps**2, axis=1)) / epsilon**2)
