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

Between unlike clusters there is nothing real, and a continuous G draws something in
between. AE-OT does not draw latents near such borders, its map's singular set. Here a
share of each cluster's latents is not drawn, those whose mixture is of clusters that
lie farthest apart. Only walks pass through them.

Of images that are stacked as channels each has a cluster of its own (product
quantization: Jégou et al., 2011, "Product quantization for nearest neighbor search",
IEEE TPAMI), which other latents choose.
"""

from __future__ import annotations

import math

import numpy as np
import tensorflow as tf

FINE = 28  # strokes are looked for in so many means a side, whatever an image's size
GRID = 7  # and counted in so many cells a side
FEATURES = GRID * GRID * 5  # of a channel: four directions and the brightness
BRIGHTNESS = 0.1  # its weight; at 0.2 clusters of digits mix more classes

_SMOOTH, _SLOPE = np.array([1.0, 2.0, 1.0]) / 4, np.array([-1.0, 0.0, 1.0]) / 2
_ACROSS, _DOWN = np.outer(_SMOOTH, _SLOPE), np.outer(_SLOPE, _SMOOTH)  # Sobel's
_SLOPES = np.stack(
    [_ACROSS, _DOWN, (_ACROSS + _DOWN) / 2**0.5, (_ACROSS - _DOWN) / 2**0.5], -1
)[:, :, np.newaxis].astype(np.float32)


class Clusters:
    """The k-means clusters of images, or of those of each class.

    Args:
      centres: float32 [classes, count, FEATURES * channels], of what ``describe``
        gives; one "class" if there are no labels.
      targets: float32 [classes, count, latents], y_k.
      offsets: float32 [classes, count], h_k.
      limits: float32 [classes, count], of each cluster the largest variance of targets
        at which its latents are drawn (``find_limits``).
      softness: of the softmax; towards 0 G is told the one cluster of D.
      stacked: images in a stack, one a channel; 1 if images are not stacked. Stacks
        have no labels.
      rejected: share of latents that are not drawn, from 0 to below 1.

    Attributes:
      count: clusters of a class.
      choosing: how many of the first latents choose clusters.
      candidates: how many latents are drawn for each that is kept.
      state: by name, what a checkpoint keeps, since a cluster means nothing without the
        networks that have learned it.
    """

    def __init__(
        self,
        centres: np.ndarray,
        targets: np.ndarray,
        offsets: np.ndarray,
        limits: np.ndarray,
        softness: float,
        stacked: int = 1,
        rejected: float = 0.0,
    ):
        self.count = offsets.shape[1]
        self.choosing = stacked * targets.shape[2]
        self.candidates = candidates_for(rejected)
        self.softness = softness
        self.stacked = stacked
        self.rejected = rejected
        self.centres = _variable("centres", centres)
        self.targets = _variable("targets", targets)
        self.offsets = _variable("offsets", offsets)
        self.limits = _variable("limits", limits)
        every = (self.centres, self.targets, self.offsets, self.limits)
        self.state = {v.name.partition(":")[0]: v for v in every}

    @classmethod
    def unknown(
        cls,
        classes: int,
        count: int,
        latents: int,
        softness: float,
        channels: int = 1,
        stacked: int = 1,
        rejected: float = 0.0,
    ) -> Clusters:
        """Clusters whose state is still to be read, from a checkpoint.

        Args:
          classes: 0 or 1 if there are no labels.
          count: clusters of a class.
          latents: how many choose one.
          softness: as above.
          channels: of the images; 1 if they are stacked.
          stacked, rejected: as above.
        """
        shape = max(1, classes), count
        return cls(
            np.zeros([*shape, FEATURES * channels]),
            np.zeros([*shape, latents]),
            np.zeros(shape),
            np.zeros(shape),
            softness,
            stacked,
            rejected,
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
        # Of a stack each channel is an image of its own.
        features = tf.reshape(describe(images), [-1, centres.shape[1]])
        # Negative halves of squared distances, less what is the same for all of them.
        products = tf.matmul(features, centres, transpose_b=True)
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

    def _unlikeness(self, scores: tf.Tensor, targets: tf.Tensor) -> tf.Tensor:
        """How far apart the clusters lie that G is told of, [n].

        The variance of their targets: Σ p |y|² − |Σ p y|² under the mixture p.

        Args:
          scores: [n, clusters].
          targets: [clusters, latents that choose].
        """
        mixtures = tf.nn.softmax(scores / self.softness)
        means = tf.matmul(mixtures, targets)
        squares = tf.linalg.matvec(mixtures, tf.reduce_sum(targets**2, axis=1))
        return squares - tf.reduce_sum(means**2, axis=1)

    def first_clear(
        self, candidates: tf.Tensor, labels: tf.Tensor | None = None
    ) -> tf.Tensor:
        """Of each row's candidates the first that is within its cluster's limit.

        Where there is none, the nearest to its limit. Each image of a stack takes its
        own.

        Args:
          candidates: [n, candidates, choosing].
          labels: as for ``nearest``.

        Returns:
          [n, choosing].
        """
        each = self.choosing // self.stacked
        some = candidates.shape[1]
        parts = tf.reshape(candidates, [-1, some, self.stacked, each])
        parts = tf.reshape(tf.transpose(parts, [0, 2, 1, 3]), [-1, each])
        labels = None if labels is None else tf.repeat(labels, some)
        scores = self._scores(parts, labels)
        limits = tf.gather(self.limits, tf.argmax(scores, 1))
        unlike = self._unlikeness(scores, tf.convert_to_tensor(self.targets))
        beyond = tf.nn.relu(unlike - limits)
        first = tf.argmin(tf.reshape(beyond, [-1, some]), axis=1)
        chosen = tf.gather(tf.reshape(parts, [-1, some, each]), first, batch_dims=1)
        return tf.reshape(chosen, [-1, self.choosing])

    def _scores(self, latents: tf.Tensor, labels: tf.Tensor | None) -> tf.Tensor:
        """[n, clusters of all classes], minus infinity for those of another class.

        Of stacks [n * stacked, clusters], or [n, clusters] of the latents alone that
        choose one image's.
        """
        targets = tf.convert_to_tensor(self.targets)
        choosing = tf.cast(latents, tf.float32)[:, : self.choosing]
        choosing = tf.reshape(choosing, [-1, targets.shape[1]])
        scores = tf.matmul(choosing, targets, transpose_b=True) - self.offsets
        return self._of_class(scores, labels)

    def find_limits(self, seed: int) -> np.ndarray:
        """The limits float32 [classes, count] that the rejected share is beyond.

        They follow from targets, offsets, softness and share.

        Args:
          seed: of the latents that are tried.
        """
        random = np.random.default_rng(seed)
        classes = self.offsets.shape[0] // self.count
        each = self.choosing // self.stacked
        limits = []
        for label in range(classes):
            of_class = slice(label * self.count, (label + 1) * self.count)
            targets, offsets = self.targets[of_class], self.offsets[of_class]
            found = []
            for _ in range(math.ceil(LIMITED * self.count / AT_ONCE)):
                latents = random.standard_normal([AT_ONCE, each], np.float32)
                scores = tf.matmul(latents, targets, transpose_b=True) - offsets
                found.append((tf.argmax(scores, 1), self._unlikeness(scores, targets)))
            chosen, unlike = (np.concatenate(x) for x in zip(*found, strict=True))
            for cluster in range(self.count):
                own = unlike[chosen == cluster]
                # A cluster that none of them has chosen is about as any other.
                own = own if len(own) else unlike
                limits.append(np.quantile(own, 1.0 - self.rejected))
        return np.array(limits, np.float32).reshape(classes, self.count)

    def _best(self, scores: tf.Tensor) -> tf.Tensor:
        found = tf.argmax(scores, 1, tf.int32)
        return tf.reshape(found, [-1, self.stacked]) if self.stacked > 1 else found

    def _of_class(self, values: tf.Tensor, labels: tf.Tensor | None) -> tf.Tensor:
        if labels is None:
            return values
        own = tf.range(values.shape[1]) // self.count == labels[:, tf.newaxis]
        return tf.where(own, values, -np.float32(np.inf))


def _variable(name: str, values: np.ndarray) -> tf.Variable:
    """Values [classes, count, ...] as one row for each cluster of all classes."""
    rows = np.concatenate(values)
    name = f"clusters/{name}"
    return tf.Variable(rows, trainable=False, dtype=tf.float32, name=name)


def describe(images: tf.Tensor) -> tf.Tensor:
    """What clusters are made of: gradients in four directions on a grid of 7×7.

    Of Sobel's gradient in each direction, what one in the neighbouring direction would
    show in it is taken off, so that a stroke counts in its own direction alone; and a
    little of the brightness is added. A simple relative of histograms of oriented
    gradients (HOG: Dalal and Triggs, 2005, "Histograms of oriented gradients for human
    detection", CVPR). Of 20,000 images of MNIST in 400 clusters, 96 % show
    the digit that is most frequent in their cluster; by brightness alone 88 %.

    Args:
      images: [n, height, width, channels] in [-1, 1]. Other sizes than 28×28 become
        so large; small ones thereby get steps along slanted strokes.

    Returns:
      [n, FEATURES * channels], those of a channel side by side.
    """
    # One channel after another, so that each is an image of its own.
    single = tf.transpose(tf.cast(images, tf.float32), [0, 3, 1, 2])
    single = tf.reshape(single, [-1, *images.shape[1:3], 1])
    if images.shape[1:3] != (FINE, FINE):
        shares = [_shares_of_cells(size) for size in images.shape[1:3]]
        single = tf.einsum("ih,nhwc,jw->nijc", shares[0], single, shares[1])
    padded = tf.pad(single, [[0, 0], [1, 1], [1, 1], [0, 0]], "SYMMETRIC")
    slopes = tf.nn.conv2d(padded, _SLOPES, 1, "VALID")
    steepest = tf.sqrt(slopes[..., :1] ** 2 + slopes[..., 1:2] ** 2)
    edges = tf.nn.relu(tf.abs(slopes) - steepest * np.float32(0.5**0.5))
    found = tf.concat([_in_cells(edges), _in_cells(BRIGHTNESS * single)], 1)
    return tf.reshape(found, [-1, images.shape[-1] * FEATURES])


def _in_cells(images: tf.Tensor) -> tf.Tensor:
    """Means over the cells of the grid, [n, GRID * GRID * channels]."""
    side = FINE // GRID
    means = tf.nn.avg_pool2d(images, side, side, "VALID")
    return tf.reshape(means, [-1, GRID * GRID * images.shape[-1]])


def _shares_of_cells(size: int) -> np.ndarray:
    """float32 [FINE, size]: what part of each of so many cells a row of pixels is."""
    ends = np.arange(FINE + 1)[:, np.newaxis] * size / FINE
    covered = np.clip(ends - np.arange(size), 0.0, 1.0)  # of each pixel, up to an end
    return (np.diff(covered, axis=0) * FINE / size).astype(np.float32)


def find_clusters(
    images: np.ndarray,
    labels: np.ndarray | None,
    count: int,
    latents: int,
    softness: float,
    seed: int,
    stacked: int = 1,
    rejected: float = 0.0,
) -> Clusters:
    """Learns clusters from images.

    Args:
      images: uint8 [n, height, width, channels]; single ones that are to be stacked. At
        least as many as clusters, in each class.
      labels: int [n], of classes each of which gets clusters of its own; or None.
      count: clusters of a class.
      latents: how many choose one.
      softness: as of ``Clusters``.
      seed: of k-means' first guess, and of the latents that offsets are found by.
      stacked, rejected: as of ``Clusters``.

    Returns:
      the clusters, and how latents choose among them.
    """
    # Imported where they are needed: it takes a second.
    from sklearn.cluster import KMeans
    from threadpoolctl import threadpool_limits

    @tf.function(autograph=False)
    def described(some: tf.Tensor) -> tf.Tensor:
        return describe(tf.cast(some, tf.float32) / 127.5 - 1.0)

    features = np.concatenate(
        [described(images[i : i + 500]).numpy() for i in range(0, len(images), 500)]
    )
    classes = np.zeros(len(images), int) if labels is None else labels
    centres, targets, shares = [], [], []
    # One thread: several add up in whatever order they end.
    with threadpool_limits(1):
        for some in np.unique(classes):
            of_class = features[classes == some]
            # A chosen start ("k-means++") takes longer than all that follows, and 30
            # rounds in place of 10 make clusters 0.1 % purer.
            means = KMeans(
                count, init="random", n_init=1, max_iter=10, random_state=seed + some
            )
            found = means.fit(of_class)
            sizes = np.maximum(np.bincount(found.labels_, minlength=count), 1)
            shares.append(sizes / sizes.sum())
            centres.append(found.cluster_centers_)
            targets.append(_targets(centres[-1], shares[-1], latents))
        offsets = balancing_offsets(np.stack(targets), np.stack(shares), seed)
    limits = np.zeros_like(offsets)
    found = np.stack(centres), np.stack(targets), offsets
    if rejected:
        limits = Clusters(*found, limits, softness, 1, rejected).find_limits(seed)
    return Clusters(*found, limits, softness, stacked, rejected)


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


LIMITED = 200
"""Latents, for each cluster, that limits are found by."""

AT_ONCE = 5_000
"""Latents that are tried at once, so that memory is bounded."""


def candidates_for(rejected: float) -> int:
    """How many latents to draw so that all but 1 % of rows find one that is kept."""
    return max(2, math.ceil(math.log(0.01, rejected))) if rejected else 1


STEPS, RATE, FALLS_FROM = 200, 0.5, 50  # of balancing_offsets
DRAWS = 2_000, 10_000  # of a step, at least and at most


def balancing_offsets(targets: np.ndarray, shares: np.ndarray, seed: int) -> np.ndarray:
    """The offsets h_k by which normal latents choose clusters as often as wanted.

    Stochastic ascent of the dual problem on fresh latents. A step moves h_k by the
    relative error of its cluster's share, at most 1; rates fall as 1/step, and the
    second half of the steps is averaged. Because errors are cut off at 1, clusters that
    a step draws about once come out too often.

    Args:
      targets: [classes, count, latents].
      shares: [classes, count], all above 0; they sum to 1 in each class.
      seed: of the latents.

    Returns:
      float32 [classes, count].
    """
    classes, count, dimensions = targets.shape
    draws = int(np.clip(10 * count, *DRAWS))  # all classes share them
    flat = targets.reshape(-1, dimensions).T.astype(np.float32)
    random = np.random.default_rng(seed)
    offsets, total = np.zeros([2, classes, count], np.float32)
    numbers = np.arange(classes) * count
    for step in range(1, STEPS + 1):
        latents = random.standard_normal([draws, dimensions], np.float32)
        scores = (latents @ flat).reshape(draws, classes, count) - offsets
        chosen = np.bincount(
            (scores.argmax(axis=2) + numbers).ravel(), minlength=classes * count
        )
        error = chosen.reshape(classes, count) / (draws * shares) - 1.0
        falling = min(1.0, FALLS_FROM / step)
        offsets += (RATE * falling * np.clip(error, -1.0, 1.0)).astype(np.float32)
        if step > STEPS // 2:
            total += offsets
    return total / (STEPS - STEPS // 2)
