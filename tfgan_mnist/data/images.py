"""Labelled images in memory, as bytes; shuffled and scaled inside the compiled step."""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np
import tensorflow as tf

from tfgan_mnist.latents import fold_in


class Images:
    """A data set whose batch is a function of the step number.

    Every epoch is a new permutation, and holds every image once: batches run through
    one permutation into the next, so that none is cut short or left out.

    Args:
      images: uint8 [count, height, width, channels].
      labels: int [count].
      batch_size: at most count.
      seed: int32 [2], of the permutations.
      image_size: height and width to resize to (bilinear, once).

    Raises:
      ValueError: if a batch is larger than the data.
    """

    def __init__(
        self,
        images: np.ndarray,
        labels: np.ndarray,
        batch_size: int,
        seed: tf.Tensor,
        image_size: tuple[int, int] | None = None,
    ):
        self.count = len(images)
        if batch_size > self.count:
            raise ValueError(f"a batch of {batch_size} from {self.count} images")
        if image_size and tuple(images.shape[1:3]) != tuple(image_size):
            images = _resize(images, image_size)
        self.images = tf.constant(images)
        self.labels = tf.constant(labels, tf.int32)
        self.batch_size = batch_size
        self.seed = seed

    def indices(self, step: tf.Tensor) -> tf.Tensor:
        """Which images [batch_size] make the batch of a step (int64, from 0)."""
        first = tf.cast(step, tf.int64) * self.batch_size
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

    def batch(self, step: tf.Tensor) -> Mapping[str, tf.Tensor]:
        """images [batch, height, width, 1] in [-1, 1] and labels [batch] of a step."""
        indices = self.indices(step)
        images = tf.cast(tf.gather(self.images, indices), tf.float32) / 127.5 - 1.0
        return {"images": images, "labels": tf.gather(self.labels, indices)}


def _resize(images: np.ndarray, size: tuple[int, int]) -> np.ndarray:
    """Bilinear, with anti-aliasing where it shrinks; uint8 in, uint8 out."""
    parts = [
        tf.cast(tf.round(tf.image.resize(part, size, antialias=True)), tf.uint8).numpy()
        for part in np.array_split(images, max(1, len(images) // 5000))
    ]
    return np.concatenate(parts)
