"""The MNIST score: the Inception score by a classifier of digits."""

from __future__ import annotations

import numpy as np
from scipy import special


def mnist_score(probabilities: np.ndarray) -> float:
    """exp E KL(p(y|x) ‖ p(y)), from 1 to the number of classes: sure and varied.

    Salimans et al., 2016 ("Improved techniques for training GANs", section 4). It does
    not compare with real images, and is blind to variety inside a class. The package's
    judge learned with smoothed labels and is never wholly sure: of real images it makes
    7.4, so its scores do not compare with those of other classifiers.

    Args:
      probabilities: [count, classes], what a classifier says of each image.
    """
    marginal = probabilities.mean(axis=0)
    divergence = special.rel_entr(probabilities, marginal).sum(axis=1)
    return float(np.exp(divergence.mean()))
