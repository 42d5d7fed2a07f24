"""The game in which both sides are told what a sample is to show."""

from __future__ import annotations

import keras
import tensorflow as tf

from tfgan_mnist.clusters import Clusters
from tfgan_mnist.gans.unconditional import Batch, Unconditional
from tfgan_mnist.latents import fold_in
from tfgan_mnist.losses import Terms


class Conditional(Unconditional):
    """Mirza and Osindero, 2014 (arXiv:1411.1784).

    G takes [latents, told] and D [samples, told], int32 [batch]. With ``classes`` alone
    that is a label: a batch has ``labels``, and fakes uniformly random ones. With
    ``clusters`` it is a cluster (of that class), of which nothing is seen outside: the
    latents stand for one, and a real sample has the nearest.

    Args:
      classes: labels are from 0 to below it; 0 if there are none, and so clusters.
      clusters: of the training images, or None.
      others: as for ``Unconditional``.
    """

    def __init__(self, *arguments, classes: int, clusters: Clusters | None = None):
        super().__init__(*arguments)
        self.classes = classes
        self.clusters = clusters

    def _fakes(self, batch: Batch, seed: tf.Tensor) -> dict[str, tf.Tensor]:
        """As many as the batch has samples, with labels of their own.

        With a loss on mismatched ones they carry what turns what a real sample shows
        into something else.
        """
        count = batch["samples"].shape[0]
        labels = []
        if self.classes:
            labels.append(_uniform(count, fold_in(seed, 0), 0, self.classes))
        latents = self.draw_latents(count, seed)
        told = self._told(latents, *labels)
        samples = self.generator([latents, told], training=True)
        fakes = {"samples": samples, "told": told}
        if self.objective.mismatched_weight:
            # What is of another class, or of another cluster without classes, lies at
            # least so far on, and at least so far from having come around.
            away = self._kinds // (self.classes or self._kinds)
            seed = fold_in(seed, 2)
            fakes["turn"] = _uniform(count, seed, away, self._kinds - away + 1)
        return fakes

    @property
    def _kinds(self) -> int:
        """How many values ``told`` has."""
        return max(1, self.classes) * (self.clusters.count if self.clusters else 1)

    def _told(self, latents: tf.Tensor, *labels: tf.Tensor) -> tf.Tensor:
        """What G is told."""
        return self.clusters.drawn(latents, *labels) if self.clusters else labels[0]

    def _told_of(self, some: Batch) -> tf.Tensor:
        """What D is told."""
        if "told" in some:
            return some["told"]
        labels = [some["labels"]] if self.classes else []
        if self.clusters:
            return self.clusters.nearest(some["samples"], *labels)
        return labels[0]

    def judge(self, some: Batch, training: bool = True) -> tf.Tensor:
        """D's logits on a batch, or on fakes, with what it is told of them."""
        inputs = [self._packed(some["samples"]), self._told_of(some)]
        return self.discriminator(inputs, training=training)

    def _mismatched(self, batch: Batch, fakes: Batch, real: tf.Tensor) -> Terms:
        """D's loss on real samples of which it is told wrongly, as if they were fakes.

        Reed et al., 2016, "Generative adversarial text to image synthesis",
        arXiv:1605.05396, section 4.2: the matching-aware discriminator.
        """
        weight = self.objective.mismatched_weight
        if not weight:
            return {}
        wrong = (self._told_of(batch) + fakes["turn"]) % self._kinds
        logits = self.judge({**batch, "told": wrong})
        terms = self.objective.loss.discriminator(real, logits)
        return {"mismatched": weight * tf.add_n(list(terms.values()))}

    def sample(
        self, generator: keras.Model, latents: tf.Tensor, *labels: tf.Tensor
    ) -> tf.Tensor:
        """Samples, as ``Unconditional`` makes them; with classes, of labels [count]."""
        return super().sample(generator, latents, self._told(latents, *labels))


def _uniform(count: int, seed: tf.Tensor, low: int, high: int) -> tf.Tensor:
    """int32 [count] from low to below high."""
    return tf.random.stateless_uniform([count], seed, low, high, tf.int32, alg="philox")
