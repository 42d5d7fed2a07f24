"""The game in which D says whether a sample is real and of which class it is."""

from __future__ import annotations

import dataclasses
from collections.abc import Mapping

import tensorflow as tf

from tfgan_mnist.gans.conditional import Conditional
from tfgan_mnist.gans.gan import Batch, Signature, Terms
from tfgan_mnist.gans.unconditional import Unconditional


class AuxiliaryClassifier(Conditional):
    """Odena et al., 2017 (arXiv:1610.09585, section 3).

    G is told a label. D is not: it answers logits [batch, 1] of being real and [batch,
    classes] of the class. Both sides' losses ask for the right class, D's of real
    and generated samples, G's of generated ones (L_C in equations 2 and 3).
    """

    @dataclasses.dataclass(frozen=True)
    class Options(Unconditional.Options):
        class_weight: float = 1.0
        mismatched_weight = 0.0  # no flag: D is told nothing that could be wrong

    def _taken(self, some: Batch) -> tf.Tensor:
        return self._packed(some["samples"])

    def signatures(self) -> Mapping[str, Signature]:
        """``discriminate`` takes no label, and answers the class too.

        discriminate(images)  → logits [n], probability [n], classes [n, classes]
        """
        found = super().signatures()
        images = {"images": found["discriminate"].inputs["images"]}

        def discriminate(images):
            answers = self._pass({"samples": images * 2.0 - 1.0}, training=False)
            logits, class_logits = answers[0][:, 0], answers[1]
            return {
                "logits": logits,
                "probability": tf.sigmoid(logits),
                "classes": tf.nn.softmax(class_logits),
            }

        signature = Signature(discriminate, images, self._ranges)
        return {**found, "discriminate": signature}

    def _class_loss(self, answers, labels: tf.Tensor) -> tf.Tensor:
        losses = tf.nn.sparse_softmax_cross_entropy_with_logits(
            labels, tf.cast(answers[1], tf.float32)
        )
        return self.options.class_weight * tf.reduce_mean(losses)

    def _discriminator_loss(self, real, fake, batch: Batch, fakes: Batch) -> Terms:
        terms = super()._discriminator_loss(real, fake, batch, fakes)
        terms["class_real"] = self._class_loss(real, batch["condition"])
        terms["class_fake"] = self._class_loss(fake, fakes["condition"])
        return terms

    def _generator_loss(self, real, fake, fakes: Batch) -> Terms:
        terms = super()._generator_loss(real, fake, fakes)
        terms["class"] = self._class_loss(fake, fakes["condition"])
        return terms
