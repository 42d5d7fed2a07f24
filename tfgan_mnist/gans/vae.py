"""The blurred contrast to a GAN: one side, whose loss is of the pixels themselves."""

from __future__ import annotations

import dataclasses
from collections.abc import Mapping, Sequence

import tensorflow as tf

from tfgan_mnist.gans.gan import Batch, Side, Terms
from tfgan_mnist.gans.latents import FromLatents, draw
from tfgan_mnist.gans.penalties import normal_divergence


class VariationalAutoencoder(FromLatents):
    """Kingma and Welling, 2014 (arXiv:1312.6114).

    Networks: ``encoder``, samples → [mean, log variance] [batch, latent_dim] each;
    ``decoder``, latents → samples in [-1, 1]. The one side minimises the negative
    evidence lower bound of a sample: ``reconstruction``, the cross-entropy of its
    pixels in [0, 1] (appendix C.1), and ``kl``, the divergence of the encoder's normal
    distribution from the standard one (appendix B), both in nats.
    """

    sampler = "decoder"
    sides: Sequence[Side] = (
        Side("autoencoder", "VAE", ("encoder", "decoder"), generates=True),
    )

    @dataclasses.dataclass(frozen=True)
    class Options:
        latent_distribution: str = "normal"
        kl_weight: float = 1.0

    def generate(self, batch: Batch, seed: tf.Tensor, step: tf.Tensor) -> Batch:
        """The batch's own samples, encoded and decoded again."""
        mean, log_variance = self.networks["encoder"](batch["samples"], training=True)
        mean, log_variance = (tf.cast(x, tf.float32) for x in (mean, log_variance))
        noise = draw("normal", list(mean.shape), seed)
        latents = mean + tf.exp(0.5 * log_variance) * noise
        samples = self.networks["decoder"](latents, training=True)
        return {"samples": samples, "mean": mean, "log_variance": log_variance}

    def losses(
        self, batch: Batch, fakes: Batch, sides: Sequence[str]
    ) -> Mapping[str, Terms]:
        return {
            "autoencoder": {
                "reconstruction": pixel_cross_entropy(
                    batch["samples"], fakes["samples"]
                ),
                "kl": self.options.kl_weight
                * normal_divergence(fakes["mean"], fakes["log_variance"]),
            }
        }


EDGE = 1e-6  # squeezed rather than clipped, so that a gradient is left


def pixel_cross_entropy(real: tf.Tensor, decoded: tf.Tensor) -> tf.Tensor:
    """The mean over samples of their pixels' summed cross-entropy, in nats.

    Args:
      real, decoded: [batch, ...] in [-1, 1]; pixels of both are taken as shares of
        white, the decoded ones squeezed by ``EDGE`` away from black and white.
    """
    real = real * 0.5 + 0.5
    decoded = EDGE + (1.0 - 2.0 * EDGE) * (decoded * 0.5 + 0.5)
    losses = real * tf.math.log(decoded) + (1.0 - real) * tf.math.log(1.0 - decoded)
    return -tf.reduce_mean(tf.reduce_sum(losses, axis=range(1, real.shape.rank)))
