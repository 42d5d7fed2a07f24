"""The game in which both sides are told what a sample is to show."""

from __future__ import annotations

import keras
import tensorflow as tf

from tfgan_mnist.gans.clusters import Clusters
from tfgan_mnist.gans.losses import Terms
from tfgan_mnist.gans.unconditional import Batch, Unconditional
from tfgan_mnist.system.seeds import fold_in


class Conditional(Unconditional):
    """Mirza and Osindero, 2014 (arXiv:1411.1784).

    G takes [latents, condition] and D [samples, condition], int32 [batch]. With
    ``classes`` alone the condition is a label: a batch has ``labels``, and fakes
    uniformly random ones. With ``clusters`` it is a cluster (of that class), of which
    nothing is seen outside: latents stand for one, and a real sample has the nearest.

    Args:
      classes: labels are from 0 to below it; 0 if there are none, and so clusters.
      clusters: of the training images, or None.
      others: as for ``Unconditional``.
    """

    def __init__(self, *arguments, classes: int, clusters: Clusters | None = None):
        super().__init__(*arguments)
        self.classes = classes
        self.clusters = clusters
        self._per_class = clusters.count if clusters else 1
        self._conditions = max(1, classes) * self._per_class

    def _fakes(self, batch: Batch, seed: tf.Tensor) -> dict[str, tf.Tensor]:
        """As many as the batch has samples, with conditions of their own.

        With a loss on mismatched ones they carry what makes a real sample's condition
        another: of another class, or without classes another cluster.
        """
        count = batch["samples"].shape[0]
        labels = []
        if self.classes:
            labels.append(_uniform(count, fold_in(seed, 0), 0, self.classes))
        latents = self.draw_latents(count, seed)
        condition = self._condition(latents, *labels)
        samples = self.generator([latents, condition], training=True)
        fakes = {"samples": samples, "condition": condition}
        if self.objective.mismatched_weight:
            # So far on, and so far from having come around, lies no cluster of the
            # same class.
            least = self._per_class if self.classes else 1
            fakes["offset"] = _uniform(
                count, fold_in(seed, 2), least, self._conditions - least + 1
            )
        return fakes

    def _condition(self, latents: tf.Tensor, *labels: tf.Tensor) -> tf.Tensor:
        """What G is told."""
        if self.clusters:
            return self.clusters.of_latents(latents, *labels)
        return labels[0]

    def _with_condition(self, some: Batch) -> Batch:
        """A batch that has one: a real one's samples have the nearest cluster."""
        if "condition" in some:
            return some
        labels = [some["labels"]] if self.classes else []
        if self.clusters:
            labels = [self.clusters.nearest(some["samples"], *labels)]
        return {**some, "condition": labels[0]}

    def judge(self, some: Batch, training: bool = True) -> tf.Tensor:
        """D's logits on a batch, or on fakes, under their conditions."""
        some = self._with_condition(some)
        inputs = [self._packed(some["samples"]), some["condition"]]
        return self.discriminator(inputs, training=training)

    def discriminator_loss(self, batch: Batch, fakes: Batch) -> Terms:
        """As ``Unconditional``'s; a sample between real and fake has the real one's."""
        return super().discriminator_loss(self._with_condition(batch), fakes)

    def _mismatched(self, batch: Batch, fakes: Batch, real: tf.Tensor) -> Terms:
        """D's loss between real samples and the same ones under a wrong condition.

        Reed et al., 2016, "Generative adversarial text to image synthesis",
        arXiv:1605.05396, section 4.2: the matching-aware discriminator. As they have
        it real samples count once; here they are a pair of their own, as of any loss.
        """
        weight = self.objective.mismatched_weight
        if not weight:
            return {}
        wrong = (batch["condition"] + fakes["offset"]) % self._conditions
        logits = self.judge({**batch, "condition": wrong})
        terms = self.objective.loss.discriminator(real, logits)
        return {"mismatched": weight * tf.add_n(list(terms.values()))}

    def sample(
        self, generator: keras.Model, latents: tf.Tensor, *labels: tf.Tensor
    ) -> tf.Tensor:
        """Samples, as ``Unconditional`` makes them; with classes, of labels [count]."""
        return super().sample(generator, latents, self._condition(latents, *labels))


def _uniform(count: int, seed: tf.Tensor, low: int, high: int) -> tf.Tensor:
    """int32 [count] from low to below high."""
    return tf.random.stateless_uniform([count], seed, low, high, tf.int32, alg="philox")
