"""The plain game: G turns latents into images, D tells them from real ones."""

from __future__ import annotations

from collections.abc import Mapping

import keras
import tensorflow as tf

from tfgan_mnist import latents, losses

Terms = Mapping[str, tf.Tensor]


class Unconditional:
    """Goodfellow et al., 2014 (arXiv:1406.2661), on sigmoid cross-entropy.

    A GAN owns its networks and answers three questions; it has no optimizer, file or
    clock. A loss is a mapping of named terms, whose sum is minimised.

    Args:
      generator: latents [batch, latent_dim] → images in [-1, 1].
      discriminator: images → logits [batch, 1].
      latent_distribution: "uniform" (-1 to 1) or "normal".
    """

    def __init__(
        self,
        generator: keras.Model,
        discriminator: keras.Model,
        latent_distribution: str,
    ):
        self.generator = generator
        self.discriminator = discriminator
        self.latent_distribution = latent_distribution

    def draw_latents(self, count: int, seed: tf.Tensor) -> tf.Tensor:
        """Latents [count, latent_dim] that follow from a seed."""
        shape = [count, self.generator.input_shape[-1]]
        return latents.draw(self.latent_distribution, shape, seed)

    def generate(self, batch: Mapping[str, tf.Tensor], seed: tf.Tensor) -> tf.Tensor:
        """As many images [batch, height, width, 1] as the batch has, in training."""
        count = batch["images"].shape[0]
        return self.generator(self.draw_latents(count, seed), training=True)

    def discriminator_loss(
        self, batch: Mapping[str, tf.Tensor], fakes: tf.Tensor
    ) -> Terms:
        """D's loss on a batch and on ``generate``'s answer, in separate passes.

        Batch normalisation in D thus sees statistics of real or of generated images,
        never of a mixture of both.
        """
        real = self.discriminator(batch["images"], training=True)
        fake = self.discriminator(fakes, training=True)
        return {
            "real": losses.sigmoid_cross_entropy(real, 1.0),
            "fake": losses.sigmoid_cross_entropy(fake, 0.0),
        }

    def generator_loss(self, batch: Mapping[str, tf.Tensor], fakes: tf.Tensor) -> Terms:
        """G's non-saturating loss on ``generate``'s answer."""
        fake = self.discriminator(fakes, training=True)
        return {"fake": losses.sigmoid_cross_entropy(fake, 1.0)}

    def sample(self, generator: keras.Model, some_latents: tf.Tensor) -> tf.Tensor:
        """Images in [0, 1] from latents, normalised by moving statistics.

        Args:
          generator: G itself, or its weight average.
          some_latents: [count, latent_dim].
        """
        images = generator(some_latents, training=False)
        return tf.clip_by_value(images * 0.5 + 0.5, 0.0, 1.0)
