"""Real images as a judge sees them: none is needed to compare with.

MNIST's are in the package: ``real.npz``, which belongs to ``judge.npz``.
"""

from __future__ import annotations

import dataclasses
import functools
from collections.abc import Mapping

import numpy as np

from tfgan_mnist.evaluation.metrics.judge import packaged

SHA256 = "b02bef5a50e41cdc2d4365c66670d3b266c439cf164c02fc51a0c9af683b7466"


@dataclasses.dataclass(frozen=True)
class Real:
    """Statistics of the training images, and features to compare with.

    Attributes:
      mean, covariance: [64] and [64, 64], over all training images' features.
      class_shares: [classes], of their labels; empty if they have none.
      train: float32 [up to 10000, 64], features of some of them.
      test: float32 [up to 10000, 64], of images that the judge was not trained on
        (MNIST's test images: neither was a model): what they measure is what a perfect
        model would.
      test_labels: int, of the classes of ``test``; empty if there are none.
    """

    mean: np.ndarray
    covariance: np.ndarray
    class_shares: np.ndarray
    train: np.ndarray
    test: np.ndarray
    test_labels: np.ndarray

    @classmethod
    def of(
        cls,
        train: np.ndarray,
        labels: np.ndarray | None,
        test: np.ndarray,
        test_labels: np.ndarray | None,
        classes: int,
        seed: int = 1,
    ) -> Real:
        """The statistics of features [count, 64], and some of them, shuffled.

        Shuffled, since the later half of MNIST's test images is harder than the first:
        any first so many are then a fair sample.
        """
        random = np.random.default_rng(seed)
        known = random.permutation(len(train))[:KEPT]
        held_out = random.permutation(len(test))[:KEPT]
        shares, some = np.empty([0]), np.empty([0], int)
        if labels is not None:
            shares = np.bincount(labels, minlength=classes) / len(labels)
            some = test_labels[held_out]
        return cls(
            train.mean(axis=0, dtype=np.float64),
            np.cov(train.astype(np.float64), rowvar=False),
            shares,
            train[known],
            test[held_out],
            some,
        )

    def arrays(self) -> dict[str, np.ndarray]:
        """What is kept of it in a file, features in half precision."""
        arrays = dataclasses.asdict(self)
        halves = {name: arrays[name].astype(np.float16) for name in ("train", "test")}
        return arrays | halves

    @classmethod
    def from_arrays(cls, arrays: Mapping[str, np.ndarray]) -> Real:
        """The same from such a file. Raises KeyError if something is missing."""
        fields = {field.name: arrays[field.name] for field in dataclasses.fields(cls)}
        for name in ("train", "test"):
            fields[name] = fields[name].astype(np.float32)
        return cls(**fields)


KEPT = 10_000
"""Features that are kept of the training images, and of the others."""


@functools.cache
def load_real() -> Real:
    """What the package holds of the real data.

    Raises:
      UserError: if the file is not the one that belongs to this judge.
    """
    return Real.from_arrays(packaged("real.npz", SHA256))
