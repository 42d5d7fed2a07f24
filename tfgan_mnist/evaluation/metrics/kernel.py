"""The kernel distance between two sets of features, with its spread over subsets."""

from __future__ import annotations

import numpy as np

SUBSETS = 50
SUBSET_SIZE = 1_000


def kernel_distance(
    features: np.ndarray, real: np.ndarray, seed: int = 0
) -> tuple[float, float]:
    """The squared maximum mean discrepancy under a cubic kernel, without bias.

    Bińkowski et al., 2018 ("Demystifying MMD GANs", section 4): the kernel is
    (x·y / dimensions + 1)³; the mean over subsets of ``SUBSET_SIZE`` samples of each
    side (half of them, of fewer than twice as many) is the distance. It may come out
    below 0 for samples as good as real.

    Args:
      features: [count, dimensions].
      real: [another count, dimensions].
      seed: of the choice of subsets.

    Returns:
      the mean over the subsets, and the standard deviation.
    """
    random = np.random.default_rng(seed)
    size = min(SUBSET_SIZE, len(features) // 2, len(real) // 2)
    found = []
    for _ in range(SUBSETS):
        some = features[random.choice(len(features), size, replace=False)]
        other = real[random.choice(len(real), size, replace=False)]
        found.append(unbiased_mmd(some.astype(float), other.astype(float)))
    return float(np.mean(found)), float(np.std(found))


def unbiased_mmd(one: np.ndarray, other: np.ndarray) -> float:
    """The squared discrepancy of two samples [m, d] and [n, d], pairs with oneself out.

    Gretton et al., 2012 ("A kernel two-sample test", lemma 6).
    """

    def within(x: np.ndarray) -> float:
        kernel = _cubic(x, x)
        return (kernel.sum() - np.trace(kernel)) / (len(x) * (len(x) - 1))

    return within(one) + within(other) - 2.0 * _cubic(one, other).mean()


def _cubic(x: np.ndarray, y: np.ndarray) -> np.ndarray:
    """scikit-learn's ``polynomial_kernel``, by products: faster than its powers."""
    base = x @ y.T / x.shape[1] + 1.0
    return base * base * base
