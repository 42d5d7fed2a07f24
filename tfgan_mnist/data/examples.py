"""A data set in memory; shuffled, and images scaled, inside the compiled step."""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np
import tensorflow as tf

from tfgan_mnist.system.seeds import fold_in


class Examples:
    """A data set whose batch is a function of the step and the draw within it.

    Every epoch is a new permutation, and holds every example once: batches run through
    one permutation into the next, so that none is cut short or left out. The draws of a
    step take one batch after the other.

    Args:
      samples: uint8 images [count, height, width, channels], which are kept as bytes;
        or float32 points [count, dimensions].
      labels: int [count], or None.
      batch_size: at most count.
      seed: int32 [2], of the permutations.
      draws: batches in a step.
      image_size: height and width to resize images to (bilinear, once).

    Raises:
      ValueError: if a batch is larger than the data.
    """

    def __init__(
        self,
        samples: np.ndarray,
        labels: np.ndarray | None,
        batch_size: int,
        seed: tf.Tensor,
        draws: int = 1,
        image_size: tuple[int, int] | None = None,
    ):
        self.draws = draws
        self.count = len(samples)
        if batch_size > self.count:
            raise ValueError(f"a batch of {batch_size} from {self.count} examples")
        if image_size and tuple(samples.shape[1:3]) != tuple(image_size):
            samples = _resize(samples, image_size)
        self.samples = tf.constant(samples)
        self.labels = None if labels is None else tf.constant(labels, tf.int32)
        self.batch_size = batch_size
        self.seed = seed

    def indices(self, step: tf.Tensor, draw: int = 0) -> tf.Tensor:
        """Which examples [batch_size] make a batch (int64, from 0)."""
        first = (tf.cast(step, tf.int64) * self.draws + draw) * self.batch_size
        epoch = first // self.count
        place = first % self.count + tf.range(self.batch_size, dtype=tf.int64)
        # A batch reaches into the next epoch at most, as it is no larger than one.
        return tf.where(
            place < self.count,
            self._shuffled(tf.minimum(place, self.count - 1), epoch),
            self._shuffled(tf.maximum(place - self.count, 0), epoch + 1),
        )

    def _shuffled(self, place: tf.Tensor, epoch: tf.Tensor) -> tf.Tensor:
        """What stands at a place [n] of an epoch's permutation."""
        seed = fold_in(self.seed, tf.cast(epoch, tf.int32))
        return tf.random.experimental.index_shuffle(
            place, seed, tf.constant(self.count - 1, tf.int64)
        )

    def batch(self, step: tf.Tensor, draw: int = 0) -> Mapping[str, tf.Tensor]:
        """samples [batch, ...], images in [-1, 1], and labels [batch] if there are.

        Args:
          step: scalar int, steps made before.
          draw: from 0 to below ``draws``.
        """
        indices = self.indices(step, draw)
        samples = tf.gather(self.samples, indices)
        if samples.dtype == tf.uint8:
            samples = tf.cast(samples, tf.float32) / 127.5 - 1.0
        if self.labels is None:
            return {"samples": samples}
        return {"samples": samples, "labels": tf.gather(self.labels, indices)}


class Stacked:
    """Three grey images at once, as red, green and blue: 1,000 modes of digits.

    Metz et al., 2016 (arXiv:1611.02163, section 3.3.1). Each colour goes through the
    images by permutations of its own.

    Args:
      images: uint8 [count, height, width, 1].
      others: as for ``Examples``.
    """

    def __init__(
        self, images: np.ndarray, batch_size: int, seed: tf.Tensor, draws: int = 1
    ):
        images = tf.constant(images)
        self.colours = [
            Examples(images, None, batch_size, fold_in(seed, i), draws)
            for i in range(3)
        ]

    def batch(self, step: tf.Tensor, draw: int = 0) -> Mapping[str, tf.Tensor]:
        """samples [batch, height, width, 3] in [-1, 1], as ``Examples`` gives them."""
        grey = [colour.batch(step, draw)["samples"] for colour in self.colours]
        return {"samples": tf.concat(grey, axis=-1)}


def _resize(images: np.ndarray, size: tuple[int, int]) -> np.ndarray:
    """Bilinear, with anti-aliasing where it shrinks; uint8 in, uint8 out."""
    parts = [
        tf.cast(tf.round(tf.image.resize(part, size, antialias=True)), tf.uint8).numpy()
        for part in np.array_split(images, max(1, len(images) // 5000))
    ]
    return np.concatenate(parts)
