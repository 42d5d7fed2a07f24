"""Real MNIST as the judge sees it, in the package: no image is needed to compare with.

``python scripts/experiments/describe_real.py`` wrote ``real.npz`` from the real images.
"""

from __future__ import annotations

import dataclasses
import functools

import numpy as np

from tfgan_mnist.evaluation.metrics.judge import packaged

SHA256 = "b02bef5a50e41cdc2d4365c66670d3b266c439cf164c02fc51a0c9af683b7466"


@dataclasses.dataclass(frozen=True)
class Real:
    """Statistics of the training images, and features to compare with.

    Attributes:
      mean, covariance: [64] and [64, 64], over all 60,000 training images' features.
      class_shares: [10], of their labels.
      train: float32 [10000, 64], features of some of them.
      test: float32 [10000, 64], of the test images, which neither a model nor the judge
        was trained on: what they measure is what a perfect model would.
      test_labels: int [10000].
    """

    mean: np.ndarray
    covariance: np.ndarray
    class_shares: np.ndarray
    train: np.ndarray
    test: np.ndarray
    test_labels: np.ndarray


@functools.cache
def load_real() -> Real:
    """What the package holds of the real data.

    Raises:
      UserError: if the file is not the one that belongs to this judge.
    """
    fields = packaged("real.npz", SHA256)
    for name in ("train", "test"):
        fields[name] = fields[name].astype(np.float32)
    return Real(**fields)
