"""Clusters of training images: labels for data that has none, or finer ones.

Told which cluster a sample belongs to, G need not bend one continuous map around modes
that lie apart, and D compares like with like (Sage et al., 2018, "Logo synthesis and
manipulation with clustered generative adversarial networks", arXiv:1712.04407; Liu et
al., 2020, "Diverse image generation via self-conditioned GANs", arXiv:2006.10728). Ours
is that the latents say which cluster: outside, nobody sees one.
"""

from __future__ import annotations

import math

import numpy as np
import tensorflow as tf
from scipy.cluster import hierarchy

GRID = 7  # images are compared as so many means a side: strokes, not their edges


class Clusters:
    """The k-means clusters of images, or of those of each class.

    Args:
      centres: float32 [classes, count, 49 * channels], of what ``grid_means`` gives;
        one "class" if there are no labels.
      shares: [classes, count], of each class's images; they sum to 1.

    Attributes:
      count: clusters of a class.
      state: by name, what a checkpoint keeps, since a number in them means nothing
        without the networks that have learned it.
    """

    def __init__(self, centres: np.ndarray, shares: np.ndarray):
        self.count = shares.shape[1]
        ends = np.cumsum(shares, axis=1)[:, :-1]
        self.centres = _variable(np.concatenate(centres))  # [classes * count, 49]
        self.ends = _variable(ends)  # [classes, count - 1]
        self.state = {"clusters/centres": self.centres, "clusters/ends": self.ends}

    @classmethod
    def unknown(cls, classes: int, count: int, channels: int = 1) -> Clusters:
        """Clusters whose state is still to be read, from a checkpoint.

        Args:
          classes: 0 or 1 if there are no labels.
          count: clusters of a class.
          channels: of the images.
        """
        shape = max(1, classes), count
        return cls(np.zeros([*shape, GRID * GRID * channels]), np.zeros(shape))

    def nearest(self, images: tf.Tensor, labels: tf.Tensor | None = None) -> tf.Tensor:
        """The cluster int32 [n] whose centre is nearest to each image.

        Args:
          images: [n, height, width, channels] in [-1, 1].
          labels: int32 [n], or None without classes.

        Returns:
          label * count + the cluster's number in its class.
        """
        centres = tf.convert_to_tensor(self.centres)
        # Squared distances to all of them, less what is the same for all: a product.
        products = tf.matmul(grid_means(images), centres, transpose_b=True)
        squares = tf.reduce_sum(centres**2, axis=1) - 2.0 * products
        if labels is not None:
            of_class = tf.range(centres.shape[0]) // self.count
            others = of_class != labels[:, tf.newaxis]
            squares = tf.where(others, np.float32(np.inf), squares)
        return tf.argmin(squares, 1, tf.int32)

    def of_latents(
        self, latents: tf.Tensor, labels: tf.Tensor | None = None
    ) -> tf.Tensor:
        """The cluster int32 [n] that latents stand for, as often as in the data.

        It is the direction of the first two of them, which of normal latents is uniform
        and does not change with their temperature.

        Args:
          latents: [n, latent_dim], normal.
          labels: as for ``nearest``, as is what is returned.
        """
        angle = tf.atan2(latents[:, 1], latents[:, 0]) / (2.0 * math.pi) + 0.5
        if labels is None:
            labels = tf.zeros(tf.shape(latents)[:1], tf.int32)
        passed = angle[:, tf.newaxis] >= tf.gather(self.ends, labels)
        number = tf.reduce_sum(tf.cast(passed, tf.int32), axis=1)
        return labels * self.count + number


def _variable(values: np.ndarray) -> tf.Variable:
    return tf.Variable(values, trainable=False, dtype=tf.float32)


def grid_means(images: tf.Tensor) -> tf.Tensor:
    """What clusters are made of: means over a grid of 7×7 on each image and channel.

    Args:
      images: [n, height, width, channels], of any size from 7×7 on.

    Returns:
      [n, 49 * channels].
    """
    down, across = (_shares_of_cells(size) for size in images.shape[1:3])
    means = tf.einsum("ih,nhwc,jw->nijc", down, tf.cast(images, tf.float32), across)
    return tf.reshape(means, [-1, GRID * GRID * images.shape[-1]])


def _shares_of_cells(size: int) -> np.ndarray:
    """float32 [7, size]: what part of each cell of the grid a row of pixels is."""
    ends = np.arange(GRID + 1)[:, np.newaxis] * size / GRID
    covered = np.clip(ends - np.arange(size), 0.0, 1.0)  # of each pixel, up to an end
    return (np.diff(covered, axis=0) * GRID / size).astype(np.float32)


def find_clusters(
    images: np.ndarray, labels: np.ndarray | None, count: int, seed: int
) -> Clusters:
    """Learns clusters from images.

    Args:
      images: uint8 [n, height, width, channels].
      labels: int [n], of classes each of which gets clusters of its own; or None.
      count: clusters of a class.
      seed: of k-means' first guess.
    """
    # Imported where they are needed: it takes a second.
    from sklearn.cluster import KMeans
    from threadpoolctl import threadpool_limits

    features = grid_means(tf.constant(images, tf.float32) / 127.5 - 1.0).numpy()
    classes = np.zeros(len(images), int) if labels is None else labels
    centres, shares = [], []
    for some in np.unique(classes):
        of_class = features[classes == some]
        # One thread: several add up in whatever order they end.
        with threadpool_limits(1):
            found = KMeans(count, n_init=1, random_state=seed + some).fit(of_class)
        # Neighbours on the circle of directions look alike.
        order = [0]
        if count > 1:
            tree = hierarchy.linkage(found.cluster_centers_, "average")
            order = hierarchy.leaves_list(tree)
        centres.append(found.cluster_centers_[order])
        sizes = np.bincount(found.labels_, minlength=count)[order]
        shares.append(sizes / len(of_class))
    return Clusters(np.stack(centres), np.stack(shares))
