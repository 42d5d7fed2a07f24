"""The plain game: G turns latents into samples, D tells them from real ones."""

from __future__ import annotations

import dataclasses
from collections.abc import Mapping

import keras
import tensorflow as tf

from tfgan_mnist.gans import penalties
from tfgan_mnist.gans.clusters import Clusters
from tfgan_mnist.gans.losses import Loss, Terms
from tfgan_mnist.system import seeds as latents
from tfgan_mnist.system.seeds import fold_in

Batch = Mapping[str, tf.Tensor]


@dataclasses.dataclass(frozen=True)
class Objective:
    """What both sides minimise.

    Args:
      loss: of the logits.
      discriminator_weight: factor on D's terms, penalties aside.
      r1_weight, r2_weight: of D's gradient penalty on real and on generated samples.
      gradient_penalty_weight: of the one between them.
      mismatched_weight: of D's loss between real samples under their own conditions
        and under wrong ones.
    """

    loss: Loss
    discriminator_weight: float = 1.0
    r1_weight: float = 0.0
    r2_weight: float = 0.0
    gradient_penalty_weight: float = 0.0
    mismatched_weight: float = 0.0


class Unconditional:
    """Goodfellow et al., 2014 (arXiv:1406.2661).

    A GAN owns its networks and answers three questions; it has no optimizer, file or
    clock. A batch and a batch of fakes are mappings of one form: ``samples``, and what
    belongs to them. A loss is a mapping of named terms, whose sum is minimised.

    Args:
      generator: latents [batch, latent_dim] → samples: images [batch, height, width,
        channels] in [-1, 1], or points [batch, dimensions].
      discriminator: samples → logits [batch, 1]. One whose input holds several samples
        side by side judges so many as one, and gives so many times fewer logits.
      latent_distribution: as in ``latents.draw``.
      objective: what both sides minimise.

    Attributes:
      classes: labels from 0 to below it belong to samples; 0 if there are none.
      clusters: of the training images, if both sides are told them.
    """

    classes = 0
    clusters: Clusters | None = None

    def __init__(
        self,
        generator: keras.Model,
        discriminator: keras.Model,
        latent_distribution: str,
        objective: Objective,
    ):
        self.generator = generator
        self.discriminator = discriminator
        self.latent_distribution = latent_distribution
        self.objective = objective
        self.latent_dim = generator.inputs[0].shape[-1]
        self.sample_shape = tuple(generator.outputs[0].shape[1:])

    @property
    def makes_images(self) -> bool:
        """Whether samples are images, which leave in [0, 1], or points."""
        return len(self.sample_shape) == 3

    def draw_latents(self, count: int, seed: tf.Tensor) -> tf.Tensor:
        """Latents [count, latent_dim] that follow from a seed."""
        return latents.draw(self.latent_distribution, [count, self.latent_dim], seed)

    def generate(self, batch: Batch, seed: tf.Tensor) -> Batch:
        """As many fakes as the batch has samples, in training.

        With a gradient penalty they carry where between real and fake it is taken.
        """
        fakes = self._fakes(batch, seed)
        if self.objective.gradient_penalty_weight:
            count = self._packed(fakes["samples"]).shape[0]
            seed = fold_in(seed, 1)
            fakes["share"] = latents.draw("standard_uniform", [count], seed)
        return fakes

    def _fakes(self, batch: Batch, seed: tf.Tensor) -> dict[str, tf.Tensor]:
        count = batch["samples"].shape[0]
        return {
            "samples": self.generator(self.draw_latents(count, seed), training=True)
        }

    def judge(self, some: Batch, training: bool = True) -> tf.Tensor:
        """D's logits on a batch, or on fakes."""
        return self.discriminator(self._packed(some["samples"]), training=training)

    def _packed(self, samples: tf.Tensor) -> tf.Tensor:
        """Samples as D takes them: several side by side if it judges them as one."""
        return tf.reshape(samples, [-1, *self.discriminator.inputs[0].shape[1:]])

    def discriminator_loss(self, batch: Batch, fakes: Batch) -> Terms:
        """D's loss on a batch and on ``generate``'s answer, in separate passes.

        Batch normalisation in D thus sees statistics of real or of generated samples,
        never of a mixture of both.
        """
        real, r1 = self._judge_with_penalty(batch, self.objective.r1_weight, "r1")
        fake, r2 = self._judge_with_penalty(fakes, self.objective.r2_weight, "r2")
        weight = self.objective.discriminator_weight
        terms = self.objective.loss.discriminator(real, fake)
        terms |= self._mismatched(batch, fakes, real)
        if weight != 1.0:
            terms = {name: weight * term for name, term in terms.items()}
        return terms | r1 | r2 | self._gradient_penalty(batch, fakes)

    def _mismatched(self, batch: Batch, fakes: Batch, real: tf.Tensor) -> Terms:
        """A term for conditions, where there are any."""
        return {}

    def _gradient_penalty(self, batch: Batch, fakes: Batch) -> Terms:
        """The penalty between real and generated samples, unless it has no weight."""
        weight = self.objective.gradient_penalty_weight
        if not weight:
            return {}
        penalty = penalties.one_centred(
            lambda samples: self.judge({**batch, "samples": samples}),
            self._packed(batch["samples"]),
            self._packed(fakes["samples"]),
            fakes["share"],
        )
        return {"gradient_penalty": weight * penalty}

    def _judge_with_penalty(
        self, some: Batch, weight: float, name: str
    ) -> tuple[tf.Tensor, Terms]:
        """Logits, and D's gradient penalty there unless it has no weight."""
        if not weight:
            return self.judge(some), {}
        penalty, logits = penalties.zero_centred(
            lambda samples: self.judge({**some, "samples": samples}),
            self._packed(some["samples"]),
        )
        return logits, {name: weight * penalty}

    def generator_loss(self, batch: Batch, fakes: Batch) -> Terms:
        """G's loss on ``generate``'s answer."""
        loss = self.objective.loss
        real = self.judge(batch) if loss.needs_real else None
        return loss.generator(real, self.judge(fakes))

    def sample(self, generator: keras.Model, *inputs: tf.Tensor) -> tf.Tensor:
        """Samples, images in [0, 1], normalised by moving statistics.

        Args:
          generator: G itself, or its weight average.
          *inputs: what it takes: latents [count, latent_dim], and what belongs to them.
        """
        samples = generator(list(inputs) if inputs[1:] else inputs[0], training=False)
        if self.makes_images:
            return tf.clip_by_value(samples * 0.5 + 0.5, 0.0, 1.0)
        return samples
