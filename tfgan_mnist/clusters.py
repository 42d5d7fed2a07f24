"""Clusters of training images: labels that data does not have, or finer ones.

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

POOLED = 4  # pixels a side that are averaged: strokes, not their edges
LEARNED_FROM = 20_000  # images at most; more make no better clusters


class Clusters:
    """The k-means clusters of images, or of those of each class.

    Args:
      centres: float32 [classes, count, features], of pooled images; one "class" if
        there are no labels.
      shares: [classes, count], of each class's images; they sum to 1.

    Attributes:
      count: clusters of a class.
      centres: float32 [classes * count, features].
    """

    def __init__(self, centres: np.ndarray, shares: np.ndarray):
        self.count = shares.shape[1]
        self.centres = tf.constant(np.concatenate(centres), tf.float32)
        self.ends = tf.constant(np.cumsum(shares, axis=1)[:, :-1], tf.float32)

    def nearest(self, images: tf.Tensor, labels: tf.Tensor | None = None) -> tf.Tensor:
        """The cluster int32 [n] whose centre is nearest to each image.

        Args:
          images: [n, height, width, channels] in [-1, 1].
          labels: int32 [n], or None without classes.

        Returns:
          label * count + the cluster's number in its class.
        """
        # Squared distances to all of them, less what is the same for all: a product.
        products = tf.matmul(pooled(images), self.centres, transpose_b=True)
        squares = tf.reduce_sum(self.centres**2, axis=1) - 2.0 * products
        if labels is not None:
            of_class = tf.range(len(self.centres)) // self.count
            others = of_class != labels[:, tf.newaxis]
            squares = tf.where(others, np.float32(np.inf), squares)
        return tf.argmin(squares, 1, tf.int32)

    def drawn(self, latents: tf.Tensor, labels: tf.Tensor | None = None) -> tf.Tensor:
        """The cluster int32 [n] that latents stand for, as often as in the data.

        It is the direction of the first two of them, which of normal latents is uniform
        and does not change with their temperature.

        Args:
          latents: [n, latent_dim], normal.
          labels: as for ``nearest``, as is what is returned.
        """
        turn = tf.atan2(latents[:, 1], latents[:, 0]) / (2.0 * math.pi) + 0.5
        classes = _class_of(labels, latents)
        passed = turn[:, tf.newaxis] >= tf.gather(self.ends, classes)
        number = tf.reduce_sum(tf.cast(passed, tf.int32), axis=1)
        return classes * self.count + number


def _class_of(labels: tf.Tensor | None, rows: tf.Tensor) -> tf.Tensor:
    return tf.zeros(tf.shape(rows)[:1], tf.int32) if labels is None else labels


def pooled(images: tf.Tensor) -> tf.Tensor:
    """What clusters are made of: means of 4×4 pixels, [n, features]."""
    means = tf.nn.avg_pool2d(images, POOLED, POOLED, "SAME")
    return tf.reshape(means, [-1, math.prod(means.shape[1:])])


def find_clusters(
    images: np.ndarray, labels: np.ndarray | None, count: int, seed: int
) -> Clusters:
    """Learns clusters from training images.

    Args:
      images: uint8 [n, height, width, channels].
      labels: int [n], of classes each of which gets clusters of its own; or None.
      count: clusters of a class.
      seed: of what is drawn.
    """
    # Imported where it is needed: it takes a second.
    from sklearn.cluster import KMeans
    from threadpoolctl import threadpool_limits

    chosen = np.random.default_rng(seed).permutation(len(images))[:LEARNED_FROM]
    scaled = tf.constant(images[chosen], tf.float32) / 127.5 - 1.0
    features = pooled(scaled).numpy()
    classes = np.zeros(len(chosen), int) if labels is None else labels[chosen]
    centres, shares = [], []
    for some in np.unique(classes):
        of_class = features[classes == some]
        # One thread: several add up in whatever order they end.
        with threadpool_limits(1):
            found = KMeans(count, n_init=1, random_state=seed).fit(of_class)
        # Neighbours on the circle of directions look alike: a walk there is smooth.
        order = [0]
        if count > 1:
            tree = hierarchy.linkage(found.cluster_centers_, "average")
            order = hierarchy.leaves_list(tree)
        centres.append(found.cluster_centers_[order])
        sizes = np.bincount(found.labels_, minlength=count)[order]
        shares.append(sizes / len(of_class))
    return Clusters(np.stack(centres), np.stack(shares))
