"""A data set in memory, or in files that are read ahead of the step that needs them.

It is shuffled, and images are scaled, inside the compiled step.
"""

from __future__ import annotations

import os
import threading
from collections.abc import Mapping

import numpy as np
import tensorflow as tf

from tfgan_mnist.data.pictures import Files
from tfgan_mnist.system.errors import UserError
from tfgan_mnist.system.seeds import fold_in


class Examples:
    """A data set whose batch is a function of the step and the draw within it.

    Every epoch is a new permutation, and holds every example once: batches run through
    one permutation into the next, so that none is cut short or left out. The draws of a
    step take one batch after the other.

    Args:
      samples: uint8 images [count, height, width, channels], which are kept as bytes,
        or their files; or float32 points [count, dimensions].
      labels: int [count], or None.
      batch_size: at most count.
      seed: int32 [2], of the permutations.
      draws: batches in a step.
      image_size: height and width to resize images to (bilinear, once).
      flip: whether images are mirrored left to right, half of them.
      shift: pixels by which they are moved at most, each way; edges are repeated.

    Raises:
      ValueError: if a batch is larger than the data.
    """

    def __init__(
        self,
        samples: np.ndarray | Files,
        labels: np.ndarray | None,
        batch_size: int,
        seed: tf.Tensor,
        draws: int = 1,
        image_size: tuple[int, int] | None = None,
        flip: bool = False,
        shift: int = 0,
    ):
        self.draws = draws
        self.count = len(samples)
        if batch_size > self.count:
            raise ValueError(f"a batch of {batch_size} from {self.count} examples")
        if image_size and tuple(samples.shape[1:3]) != tuple(image_size):
            samples = resized(samples, image_size)
        self.ahead = _ReadAhead(self, samples) if isinstance(samples, Files) else None
        self.samples = None if self.ahead else tf.constant(samples)
        self.labels = None if labels is None else tf.constant(labels, tf.int32)
        self.batch_size = batch_size
        self.seed = seed
        self.flip, self.shift = flip, shift

    @property
    def unreadable(self) -> UserError | None:
        """What was wrong with a file, once there was something."""
        return self.ahead and self.ahead.error

    def indices(self, step: tf.Tensor, draw: int = 0) -> tf.Tensor:
        """Which examples [batch_size] make a batch (int64, from 0)."""
        return self.indices_of(self._number(step, draw))

    def _number(self, step: tf.Tensor, draw: int) -> tf.Tensor:
        """Which batch it is, int64, counted from the first step on."""
        return tf.cast(step, tf.int64) * self.draws + draw

    def indices_of(self, number: tf.Tensor) -> tf.Tensor:
        """The same of the batch of a number."""
        first = number * self.batch_size
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
        indices, number = self.indices(step, draw), self._number(step, draw)
        if self.ahead:
            samples = self.ahead.batch(number)
        else:
            samples = tf.gather(self.samples, indices)
        if self.flip or self.shift:
            # Of permutations are the seeds that are folded once.
            seed = fold_in(fold_in(self.seed, tf.cast(number, tf.int32)), 0)
            samples = moved(samples, seed, self.flip, self.shift)
        samples = as_floats(samples)
        if self.labels is None:
            return {"samples": samples}
        return {"samples": samples, "labels": tf.gather(self.labels, indices)}


def moved(images: tf.Tensor, seed: tf.Tensor, flip: bool, shift: int) -> tf.Tensor:
    """Images [n, height, width, channels], each mirrored or moved as a seed has it."""
    count, height, width, _ = images.shape
    options = {"shape": [count, 1], "dtype": tf.int32, "alg": "philox"}
    columns = tf.tile(tf.range(width)[tf.newaxis], [count, 1])
    if flip:
        mirrored = tf.random.stateless_uniform(
            seed=fold_in(seed, 0), minval=0, maxval=2, **options
        )
        columns = tf.where(mirrored > 0, tf.reverse(columns, [1]), columns)
    if shift:
        down, right = (
            tf.random.stateless_uniform(
                seed=fold_in(seed, i), minval=-shift, maxval=shift + 1, **options
            )
            for i in (1, 2)
        )
        rows = tf.clip_by_value(tf.range(height) + down, 0, height - 1)
        images = tf.gather(images, rows, axis=1, batch_dims=1)
        places = tf.clip_by_value(tf.range(width) + right, 0, width - 1)
        columns = tf.gather(columns, places, axis=1, batch_dims=1)
    return tf.gather(images, columns, axis=2, batch_dims=1)


class _ReadAhead:
    """Batches of files by their numbers, read by a tf.data pipeline before their turn.

    Numbers come one after the other, or almost, so the pipeline runs on from each; for
    any other it begins anew. Whatever happens, a number has the same batch.

    Args:
      examples: says which files make a batch.
      files: the images.

    Attributes:
      error: what was wrong with a file, once there was something.
    """

    def __init__(self, examples: Examples, files: Files):
        self.examples = examples
        self.files = files
        self.error: UserError | None = None
        self._lock = threading.Lock()
        self._next = 0  # the number of the batch that the pipeline gives next
        self._batches = None
        self._passed: dict[int, np.ndarray] = {}  # batches whose turn is still to come

    def batch(self, number: tf.Tensor) -> tf.Tensor:
        """uint8 [batch, height, width, channels], inside a compiled step too."""
        samples = tf.numpy_function(self._read, [number], tf.uint8)
        return tf.ensure_shape(
            samples, [self.examples.batch_size, *self.files.shape[1:]]
        )

    def _read(self, number: np.ndarray) -> np.ndarray:
        number = int(number)
        with self._lock:
            if number not in self._passed:
                if self._batches is None or not 0 <= number - self._next < REACH:
                    self._begin(number)
                while self._next <= number:
                    self._passed[self._next] = next(self._batches)
                    self._next += 1
            return self._passed.pop(number)

    def _begin(self, number: int) -> None:
        self._next, self._passed = number, {}
        options = tf.data.Options()
        # Of its own: those that wait for a batch may hold all threads of the runtime.
        options.threading.private_threadpool_size = os.cpu_count()
        self._batches = (
            tf.data.Dataset.range(number, tf.int64.max)
            .map(self.examples.indices_of)
            .unbatch()
            .map(
                lambda i: tf.numpy_function(self._read_one, [i], tf.uint8),
                tf.data.AUTOTUNE,
                deterministic=True,
            )
            .batch(self.examples.batch_size)
            .prefetch(tf.data.AUTOTUNE)
            .with_options(options)
            .as_numpy_iterator()
        )

    def _read_one(self, index: np.ndarray) -> np.ndarray:
        try:
            return self.files.read(int(index))
        except UserError as error:  # TensorFlow would bury it in its own
            self.error = error
            raise


REACH = 64
"""Batches that are rather read out of turn than the pipeline begun anew."""


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


def as_floats(samples: np.ndarray | tf.Tensor) -> tf.Tensor:
    """Images of bytes in [-1, 1]; anything else as it is."""
    if samples.dtype == np.uint8:
        return tf.cast(samples, tf.float32) / 127.5 - 1.0
    return tf.convert_to_tensor(samples)


def resized(images: np.ndarray, size: tuple[int, int]) -> np.ndarray:
    """Bilinear, with anti-aliasing where it shrinks; uint8 in, uint8 out."""
    parts = [
        tf.cast(tf.round(tf.image.resize(part, size, antialias=True)), tf.uint8).numpy()
        for part in np.array_split(images, max(1, len(images) // 5000))
    ]
    return np.concatenate(parts)
