"""The game with labels: both sides are told what a sample is to show."""

from __future__ import annotations

import tensorflow as tf

from tfgan_mnist.gans.unconditional import Batch, Unconditional
from tfgan_mnist.latents import fold_in


class Conditional(Unconditional):
    """Mirza and Osindero, 2014 (arXiv:1411.1784).

    Batches have ``labels`` int32 [batch]; G takes [latents, labels] and D [samples,
    labels]. Fakes carry uniformly random labels.

    Args:
      classes: labels are from 0 to below it.
      others: as for ``Unconditional``.
    """

    def __init__(self, *arguments, classes: int):
        super().__init__(*arguments)
        self.classes = classes

    def _fakes(self, batch: Batch, seed: tf.Tensor) -> dict[str, tf.Tensor]:
        """As many as the batch has samples, with labels of their own."""
        count = batch["samples"].shape[0]
        labels = tf.random.stateless_uniform(
            [count], fold_in(seed, 0), 0, self.classes, tf.int32, alg="philox"
        )
        samples = self.generator(
            [self.draw_latents(count, seed), labels], training=True
        )
        return {"samples": samples, "labels": labels}

    def judge(self, some: Batch, training: bool = True) -> tf.Tensor:
        """D's logits on a batch, or on fakes, with their labels."""
        inputs = [self._packed(some["samples"]), some["labels"]]
        return self.discriminator(inputs, training=training)
