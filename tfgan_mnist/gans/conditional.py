"""The game in which both sides are told what a sample is to show."""

from __future__ import annotations

import dataclasses

import tensorflow as tf

from tfgan_mnist.gans.gan import Batch, Terms
from tfgan_mnist.gans.unconditional import Unconditional
from tfgan_mnist.system.replicas import own_rows
from tfgan_mnist.system.seeds import LABELS, MOVED_IMAGE, OFFSET, fold_in


class Conditional(Unconditional):
    """Mirza and Osindero, 2014 (arXiv:1411.1784).

    G takes [latents, condition] and D [samples, condition], int32 [batch], of stacks
    [batch, stacked]. With ``classes`` alone the condition is a label: a batch has
    ``labels``, and fakes uniformly random ones. With ``clusters`` D's is a cluster (of
    that class), which nobody sees outside: latents choose one, and a real sample has
    the nearest. G takes [latents, mixture], and the label if there is one: how much of
    each cluster it is told of changes smoothly with the latents.
    """

    @dataclasses.dataclass(frozen=True)
    class Options(Unconditional.Options):
        mismatched_weight: float = 0.0

    @property
    def _clusters_of_a_class(self) -> int:
        return self.clusters.count if self.clusters else 1

    def _fakes(self, batch: Batch, seed: tf.Tensor) -> dict[str, tf.Tensor]:
        """Fakes with conditions of their own.

        With a loss on mismatched ones they carry an offset that makes a real sample's
        condition a wrong one: of another class, or without classes another cluster.
        """
        count = batch["samples"].shape[0]
        inputs = {}
        if self.classes:
            inputs["labels"] = _uniform(count, fold_in(seed, LABELS), 0, self.classes)
        inputs["latents"] = self.draw_latents(count, seed, inputs.get("labels"))
        given = [inputs["latents"], *self._told(inputs)]
        samples = self.generator(given, training=True)
        fakes = {"samples": samples, "condition": self._condition(inputs)}
        if self.options.mismatched_weight:
            # Conditions of a class stand side by side. Moved by at least one class
            # and at most all others, modulo their number, one is never of its own.
            least = self._clusters_of_a_class if self.classes else 1
            high = self._conditions - least + 1
            offset = _uniform(count, fold_in(seed, OFFSET), least, high)
            fakes["offset"] = self._in_one_image(offset, fold_in(seed, MOVED_IMAGE))
        return fakes

    def _in_one_image(self, offset: tf.Tensor, seed: tf.Tensor) -> tf.Tensor:
        """Of a stack all but one image, any, keep their clusters: D must see each."""
        if not self.clusters or self.clusters.stacked == 1:
            return offset
        stacked = self.clusters.stacked
        moved = _uniform(offset.shape[0], seed, 0, stacked)
        return offset[:, tf.newaxis] * tf.one_hot(moved, stacked, dtype=tf.int32)

    @property
    def _conditions(self) -> int:
        return max(1, self.classes) * self._clusters_of_a_class

    def _condition(self, inputs: Batch) -> tf.Tensor:
        """What D is told of a fake."""
        if not self.clusters:
            return inputs["labels"]
        return self.clusters.of_latents(inputs["latents"], inputs.get("labels"))

    def _told(self, inputs: Batch) -> list[tf.Tensor]:
        labels = [inputs["labels"]] if self.classes else []
        if not self.clusters:
            return labels
        return [self.clusters.mixture(inputs["latents"], *labels), *labels]

    def _condition_of(self, some: Batch) -> tf.Tensor:
        """What D is told; a real sample's cluster is the nearest."""
        if "condition" in some:
            return some["condition"]
        labels = some["labels"] if self.classes else None
        if self.clusters:
            return self.clusters.nearest(some["samples"], labels)
        return labels

    def _taken(self, some: Batch) -> list[tf.Tensor]:
        return [self._packed(some["samples"]), self._condition_of(some)]

    def losses(self, batch, fakes, sides):
        """A sample between real and fake has the real one's condition."""
        batch = {**batch, "condition": self._condition_of(batch)}
        return super().losses(batch, fakes, sides)

    def _discriminator_loss(self, real, fake, batch: Batch, fakes: Batch) -> Terms:
        """Also between real samples and the same ones under a wrong condition.

        Reed et al., 2016, "Generative adversarial text to image synthesis",
        arXiv:1605.05396, section 4.2: the matching-aware discriminator. As they have
        it real samples count once; here they are a pair of their own, as of any loss.
        """
        terms = super()._discriminator_loss(real, fake, batch, fakes)
        weight = self.options.mismatched_weight
        if weight:
            wrong = self._wrong_condition(batch, fakes)
            logits = self.logits({**batch, "condition": wrong})
            pair = self.options.loss.discriminator(real[0], logits)
            terms["mismatched"] = weight * tf.add_n(list(pair.values()))
        return terms

    def _wrong_condition(self, batch: Batch, fakes: Batch) -> tf.Tensor:
        """Another condition for each real sample than its own."""
        return (batch["condition"] + fakes["offset"]) % self._conditions


def _uniform(count: int, seed: tf.Tensor, low: int, high: int) -> tf.Tensor:
    """int32 [count] from low to below high."""

    def rows(count: int) -> tf.Tensor:
        return tf.random.stateless_uniform(
            [count], seed, low, high, tf.int32, alg="philox"
        )

    return own_rows(rows, count)
