"""Clusters of training images: labels for data that has none, or finer ones.

Told which cluster a sample belongs to, G need not bend one continuous map around modes
that lie apart, and D compares like with like (Sage et al., 2018, "Logo synthesis and
manipulation with clustered generative adversarial networks", arXiv:1712.04407; Liu et
al., 2020, "Diverse image generation via self-conditioned GANs", arXiv:2006.10728). Ours
is that the latents say which cluster: outside, nobody sees one.

Semi-discrete optimal transport assigns clusters to latents (An et al., 2020, "AE-OT: a
new generative model based on extended semi-discrete optimal transport", ICLR). Each
cluster has a target y_k in as many dimensions as there are latents z that choose:
principal components of its centre. Latents stand for the cluster of the highest score
⟨z, y_k⟩ − h_k, where the offsets h_k make every cluster as frequent as in the data.
Clusters that look alike thus belong to latents that lie side by side. D is told that
cluster; G softmax(scores / softness), which passes from one to the next without a jump.

Of images that are stacked as channels each has a cluster of its own (product
quantization: Jégou et al., 2011, "Product quantization for nearest neighbor search",
IEEE TPAMI), which other latents choose.
"""

from __future__ import annotations

import numpy as np
import tensorflow as tf

GRID = 7  # images are compared as so many means a side: strokes, not their edges


class Clusters:
    """The k-means clusters of images, or of those of each class.

    Args:
      centres: float32 [classes, count, 49 * channels], of what ``grid_means`` gives;
        one "class" if there are no labels.
      targets: float32 [classes, count, latents], y_k.
      offsets: float32 [classes, count], h_k.
      softness: of the softmax; towards 0 G is told the one cluster of D.
      stacked: images in a stack, one a channel; 1 if images are not stacked. Stacks
        have no labels.

    Attributes:
      count: clusters of a class.
      state: by name, what a checkpoint keeps, since a cluster means nothing without the
        networks that have learned it.
    """

    def __init__(
        self,
        centres: np.ndarray,
        targets: np.ndarray,
        offsets: np.ndarray,
        softness: float,
        stacked: int = 1,
    ):
        self.count = offsets.shape[1]
        self.softness = softness
        self.stacked = stacked
        self.centres = _variable(np.concatenate(centres))
        self.targets = _variable(np.concatenate(targets))
        self.offsets = _variable(np.concatenate(offsets))
        self.state = {
            "clusters/centres": self.centres,
            "clusters/targets": self.targets,
            "clusters/offsets": self.offsets,
        }

    @classmethod
    def unknown(
        cls,
        classes: int,
        count: int,
        latents: int,
        softness: float,
        channels: int = 1,
        stacked: int = 1,
    ) -> Clusters:
        """Clusters whose state is still to be read, from a checkpoint.

        Args:
          classes: 0 or 1 if there are no labels.
          count: clusters of a class.
          latents: how many choose one.
          softness: as above.
          channels: of the images; 1 if they are stacked.
          stacked: as above.
        """
        shape = max(1, classes), count
        return cls(
            np.zeros([*shape, GRID * GRID * channels]),
            np.zeros([*shape, latents]),
            np.zeros(shape),
            softness,
            stacked,
        )

    def nearest(self, images: tf.Tensor, labels: tf.Tensor | None = None) -> tf.Tensor:
        """The cluster int32 [n] whose centre is nearest to each image.

        Args:
          images: [n, height, width, channels] in [-1, 1].
          labels: int32 [n], or None without classes.

        Returns:
          label * count + the cluster's number in its class; [n, stacked] of stacks.
        """
        centres = tf.convert_to_tensor(self.centres)
        means = grid_means(images)
        if self.stacked > 1:  # channels come last; each is an image of its own
            means = tf.reshape(means, [-1, GRID * GRID, self.stacked])
            means = tf.reshape(tf.transpose(means, [0, 2, 1]), [-1, GRID * GRID])
        # Negative halves of squared distances, less what is the same for all of them.
        products = tf.matmul(means, centres, transpose_b=True)
        near = products - 0.5 * tf.reduce_sum(centres**2, axis=1)
        return self._best(self._of_class(near, labels))

    def of_latents(
        self, latents: tf.Tensor, labels: tf.Tensor | None = None
    ) -> tf.Tensor:
        """The cluster int32 [n] that latents stand for, as often as in the data.

        Args:
          latents: [n, latent_dim], normal.
          labels: as for ``nearest``, as is what is returned.
        """
        return self._best(self._scores(latents, labels))

    def mixture(self, latents: tf.Tensor, labels: tf.Tensor | None = None) -> tf.Tensor:
        """How much of each cluster G is told, [n, clusters of all classes].

        A row's sum is 1; nothing is of another class. Rows of the images of a stack
        stand one after another, [n, stacked * clusters].

        Args:
          latents: [n, latent_dim], normal.
          labels: as for ``nearest``.
        """
        mixtures = tf.nn.softmax(self._scores(latents, labels) / self.softness)
        return tf.reshape(mixtures, [-1, self.stacked * mixtures.shape[1]])

    def _scores(self, latents: tf.Tensor, labels: tf.Tensor | None) -> tf.Tensor:
        """[n, clusters of all classes], minus infinity for those of another class.

        Of stacks [n * stacked, clusters].
        """
        targets = tf.convert_to_tensor(self.targets)
        each = targets.shape[1]
        choosing = tf.cast(latents, tf.float32)[:, : self.stacked * each]
        choosing = tf.reshape(choosing, [-1, each])
        scores = tf.matmul(choosing, targets, transpose_b=True) - self.offsets
        return self._of_class(scores, labels)

    def _best(self, scores: tf.Tensor) -> tf.Tensor:
        found = tf.argmax(scores, 1, tf.int32)
        return tf.reshape(found, [-1, self.stacked]) if self.stacked > 1 else found

    def _of_class(self, values: tf.Tensor, labels: tf.Tensor | None) -> tf.Tensor:
        if labels is None:
            return values
        own = tf.range(values.shape[1]) // self.count == labels[:, tf.newaxis]
        return tf.where(own, values, -np.float32(np.inf))


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
    images: np.ndarray,
    labels: np.ndarray | None,
    count: int,
    latents: int,
    softness: float,
    seed: int,
    stacked: int = 1,
) -> Clusters:
    """Learns clusters from images.

    Args:
      images: uint8 [n, height, width, channels]; single ones that are to be stacked.
      labels: int [n], of classes each of which gets clusters of its own; or None.
      count: clusters of a class.
      latents: how many choose one.
      softness: as of ``Clusters``.
      seed: of k-means' first guess, and of the latents that offsets are found by.
      stacked: as of ``Clusters``.
    """
    # Imported where they are needed: it takes a second.
    from sklearn.cluster import KMeans
    from threadpoolctl import threadpool_limits

    features = grid_means(tf.constant(images, tf.float32) / 127.5 - 1.0).numpy()
    classes = np.zeros(len(images), int) if labels is None else labels
    centres, targets, shares = [], [], []
    # One thread: several add up in whatever order they end.
    with threadpool_limits(1):
        for some in np.unique(classes):
            of_class = features[classes == some]
            # A chosen start ("k-means++") takes longer than all that follows.
            means = KMeans(
                count, init="random", n_init=1, max_iter=30, random_state=seed + some
            )
            found = means.fit(of_class)
            sizes = np.maximum(np.bincount(found.labels_, minlength=count), 1)
            shares.append(sizes / sizes.sum())
            centres.append(found.cluster_centers_)
            targets.append(_targets(centres[-1], shares[-1], latents))
        offsets = balancing_offsets(np.stack(targets), np.stack(shares), seed)
    return Clusters(np.stack(centres), np.stack(targets), offsets, softness, stacked)


def _targets(centres: np.ndarray, shares: np.ndarray, dimensions: int) -> np.ndarray:
    """Principal components [count, dimensions] of centres.

    They are scaled alike, so that a target's squared length is ``dimensions`` on
    average, and not whitened: images vary more in some directions, and so shall they.
    """
    away = centres - shares @ centres
    _, _, axes = np.linalg.svd(away, full_matrices=False)
    found = away @ axes[:dimensions].T
    found = np.pad(found, [(0, 0), (0, dimensions - found.shape[1])])
    return found / max(np.sqrt(np.mean(found**2)), 1e-9)


BALANCING = {"steps": 200, "draws": 4_000, "rate": 0.5, "falls_from": 50}


def balancing_offsets(targets: np.ndarray, shares: np.ndarray, seed: int) -> np.ndarray:
    """The offsets h_k by which normal latents choose clusters as often as wanted.

    Stochastic ascent of the dual problem on fresh latents. A step moves h_k by the
    relative error of its cluster's share, at most 1; rates fall as 1/step, and the
    second half of the steps is averaged. Clusters of one in some thousand images come
    out up to twice as often as they should.

    Args:
      targets: [classes, count, latents].
      shares: [classes, count], all above 0; they sum to 1 in each class.
      seed: of the latents.

    Returns:
      float32 [classes, count].
    """
    classes, count, dimensions = targets.shape
    steps, draws, rate, falls_from = BALANCING.values()
    flat = targets.reshape(-1, dimensions).T.astype(np.float32)
    random = np.random.default_rng(seed)
    offsets, total = np.zeros([2, classes, count], np.float32)
    numbers = np.arange(classes) * count
    for step in range(1, steps + 1):
        latents = random.standard_normal([draws, dimensions], np.float32)
        scores = (latents @ flat).reshape(draws, classes, count) - offsets
        chosen = np.bincount(
            (scores.argmax(axis=2) + numbers).ravel(), minlength=classes * count
        )
        error = chosen.reshape(classes, count) / (draws * shares) - 1.0
        falling = min(1.0, falls_from / step)
        offsets += (rate * falling * np.clip(error, -1.0, 1.0)).astype(np.float32)
        if step > steps // 2:
            total += offsets
    return total / (steps - steps // 2)
