"""Any of the games as a ``keras.Model``, for ``compile``, ``fit`` and callbacks.

It is for training on a ``tf.data`` pipeline of one's own. Pictures, metrics, the alarm
and a run that resumes bit for bit are the loop's alone (``tfgan_mnist.train``): here
batches come from a pipeline whose place nobody saves.
"""

from __future__ import annotations

import dataclasses
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np

from tfgan_mnist.config import Config, find_recipe, read_config
from tfgan_mnist.system.errors import UserError
from tfgan_mnist.system.runtime import load_tensorflow

load_tensorflow()  # before Keras does, without the kernels that are fast

import keras  # noqa: E402
import tensorflow as tf  # noqa: E402

from tfgan_mnist import build  # noqa: E402
from tfgan_mnist.gans.gan import Batch  # noqa: E402
from tfgan_mnist.system.seeds import PICTURE, run_seed  # noqa: E402


class GANModel(keras.Model):
    """The networks of a recipe and the game that they play.

    >>> model = GANModel("dcgan_cpu", batch_size=64)
    >>> model.compile()
    >>> history = model.fit(pipeline, epochs=3)

    The pipeline gives images, or (images, labels) where the networks take a label:
    uint8, or floats in [0, 1]; or a toy's points; or a mapping, which is taken for a
    batch of the game as it is, with images in [-1, 1]. Its batches are of one size, as
    of ``batch(…, drop_remainder=True)``. Where the updates of a step each have a batch
    of their own (``shared_draws=none``), one is cut into as many equal parts.

    Args:
      recipe: a packaged recipe's name, a flagfile, or a Config. What it says of data,
        of the run directory and of limits counts for nothing here.
      data: uint8 images and int labels (or None), from which the clusters are learned
        of a recipe that has some. Of stacks, single images [n, height, width, 1].
      **overrides: flags by name, in place of the recipe's.

    Attributes:
      networks: by name.
      sampled: those that ``sample`` draws from: the same, or their weight averages.

    Raises:
      UserError: if there is no such recipe, or it has clusters and there are no data,
        or stacks in place of single images.
    """

    def __init__(
        self,
        recipe: str | Path | Config,
        data: build.Data | None = None,
        **overrides: Any,
    ):
        super().__init__()
        if tf.distribute.has_strategy():
            raise UserError(
                "GANModel: trains on one device; tfgan_mnist.train with "
                "distribute='mirrored' uses several"
            )
        if not isinstance(recipe, Config):
            recipe = read_config(find_recipe(recipe, flag=""))
        self.config = dataclasses.replace(recipe, **overrides)
        if self.config.clusters and data is None:
            raise UserError(
                f"--clusters={self.config.clusters}: are learned from images; give "
                "data=(images, labels), or clusters=0 mismatched_weight=0"
            )
        clusters = build.build_clusters(self.config, data) if data else None
        self.gan: Any = build.build_gan(self.config, clusters)
        self._step, self.sampled = build.build_step(
            self.config, self.gan, self._no_batch
        )
        self.networks = dict(self.gan.networks)
        self._made = self.add_weight(
            shape=(), dtype="int32", initializer="zeros", trainable=False, name="steps"
        )
        self.built = True

    @staticmethod
    def _no_batch(step: tf.Tensor, draw: int) -> Batch:
        raise NotImplementedError("batches come from fit's pipeline")

    def compile(self, jit_compile: bool = False, **options: Any) -> None:
        """Makes the model ready for ``fit``; losses and optimizers are the recipe's.

        Args:
          jit_compile: whether XLA compiles the step, which makes convolutions slow on
            a processor.
          **options: ``run_eagerly``, ``steps_per_execution``, as of ``keras.Model``.
        """
        super().compile(optimizer=None, jit_compile=jit_compile, **options)

    def train_step(self, data: Any) -> Mapping[str, tf.Tensor]:
        """One step of every side; its losses by name."""
        made = tf.convert_to_tensor(self._made)
        losses = self._step.one_step(made, self._batches(data))
        self._made.assign_add(1)
        return dict(zip(self._step.names, tf.unstack(losses), strict=True))

    def _batches(self, data: Any) -> list[Batch]:
        """What ``fit`` gives, as the step takes it: a batch for each of its draws."""
        given, labels, _ = keras.utils.unpack_x_y_sample_weight(data)
        batch = given if isinstance(given, Mapping) else self._batch(given, labels)
        (count, *_), draws = next(iter(batch.values())).shape, self._step.draws
        if count is None or count % draws:
            raise UserError(
                f"a batch of {count} samples: give batches of one size, a multiple of "
                f"{draws}, as batch(…, drop_remainder=True) makes them"
            )
        parts = {name: tf.split(rows, draws) for name, rows in batch.items()}
        return [{name: parts[name][i] for name in parts} for i in range(draws)]

    def _batch(self, samples: tf.Tensor, labels: tf.Tensor | None) -> Batch:
        """Samples, and labels if any are wanted, as a game takes them."""
        if self.config.vocabulary:
            raise UserError(
                f"--networks={self.config.networks}: give mappings of samples, "
                "captions and wrong_captions, as data.captions.Captioned makes them"
            )
        if self.config.task:
            raise UserError(
                f"--task={self.config.task}: give mappings of sources and samples, in "
                "[-1, 1]"
            )
        batch = {"samples": self._scaled(samples)}
        if self.gan.classes and labels is None:
            raise UserError(f"--networks={self.config.networks}: give (images, labels)")
        if self.gan.classes:
            batch["labels"] = tf.reshape(tf.cast(labels, tf.int32), [-1])
        return batch

    def _scaled(self, samples: tf.Tensor) -> tf.Tensor:
        """Images as the networks take them: in [-1, 1], and of their shape."""
        shape = self.gan.sample_shape
        if not self.gan.makes_images:
            return tf.cast(samples, tf.float32)
        images = samples if samples.shape.rank == 4 else samples[..., tf.newaxis]
        middle = 127.5 if images.dtype.is_integer else 0.5
        images = tf.cast(images, tf.float32) / middle - 1.0
        if images.shape[1:3] != shape[:2]:
            images = tf.image.resize(images, shape[:2], antialias=True)
        if images.shape[3] != shape[2]:
            raise UserError(
                f"images have {images.shape[3]} channels, but --networks="
                f"{self.config.networks} makes {shape[2]}"
            )
        return images

    def sample(
        self, count: int = 100, labels: Sequence[int] | None = None, seed: int = 1
    ) -> np.ndarray:
        """Samples [count, height, width, channels] in [0, 1], or points.

        Args:
          count: how many.
          labels: one each, where the networks take a label.
          seed: the same one gives the same samples.

        Raises:
          UserError: if labels are missing or too large, or the game translates.
        """
        if self.config.task:
            raise UserError(
                f"--task={self.config.task}: samples follow from images; call the "
                "networks in model.sampled with them"
            )
        examples = {}
        if classes := self.gan.classes:
            some = np.asarray(() if labels is None else labels)
            if len(some) != count or not all(0 <= label < classes for label in some):
                raise UserError(f"give {count} labels, from 0 to {classes - 1}")
            examples["labels"] = tf.constant(some, tf.int32)
        inputs = self.gan.inputs(count, run_seed(seed, PICTURE), examples)
        return self.gan.sample(self.sampled, inputs).numpy()
