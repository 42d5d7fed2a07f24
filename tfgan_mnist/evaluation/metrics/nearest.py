"""Distances to the nearest training image: whether samples are merely remembered."""

from __future__ import annotations

import numpy as np


def nearest_distances(images: np.ndarray, training: np.ndarray) -> np.ndarray:
    """The Euclidean distance [count] of each image to its nearest training image.

    Args:
      images: [count, height, width, 1] in [0, 1].
      training: [another count, height, width, 1] in [0, 1].
    """
    from sklearn.metrics import pairwise_distances_argmin_min

    rows, others = (
        x.reshape(len(x), -1).astype(np.float32) for x in (images, training)
    )
    return pairwise_distances_argmin_min(rows, others)[1]


def nearest_images(images: np.ndarray, training: np.ndarray, count: int) -> np.ndarray:
    """Which training images are nearest to each image, int [images, count].

    Args:
      images, training: as for ``nearest_distances``.
      count: so many, the nearest first.
    """
    from sklearn.neighbors import NearestNeighbors

    rows, others = (
        x.reshape(len(x), -1).astype(np.float32) for x in (images, training)
    )
    search = NearestNeighbors(n_neighbors=count, algorithm="brute").fit(others)
    return search.kneighbors(rows, return_distance=False)


def memorisation(distances: np.ndarray, held_out: np.ndarray) -> dict[str, float]:
    """Whether samples lie nearer to the training images than unseen real ones do.

    Args:
      distances: ``nearest_distances`` [count] of the samples.
      held_out: those of real images that are no training images.

    Returns:
      ``nearest``, the mean distance, and ``copies``, the share of samples that are as
      near as the nearest hundredth of the held-out ones: 0.01 for real images, far more
      for a model that repeats its training images. Smooth strokes are near to a
      training image without being one, so look at ``nearest`` beside it.
    """
    near = np.quantile(held_out, 0.01)
    return {
        "nearest": float(distances.mean()),
        "copies": float(np.mean(distances <= near)),
    }
