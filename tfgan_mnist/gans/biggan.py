"""The conditional game at BigGAN's terms: orthogonal kernels, truncated latents."""

from __future__ import annotations

import dataclasses
from types import MappingProxyType

import tensorflow as tf

from tfgan_mnist.gans import penalties
from tfgan_mnist.gans.conditional import Conditional
from tfgan_mnist.gans.gan import Batch, Terms
from tfgan_mnist.gans.latents import LEAST_TRUNCATION, truncated_row_latents


class BigGAN(Conditional):
    """Brock et al., 2019 (arXiv:1809.11096).

    Networks and conditions are as in ``Conditional``. G's loss has orthogonal
    regularisation of its kernels (section 3.1), and ``sample`` takes ``truncation``.
    """

    controls = MappingProxyType({"truncation": (LEAST_TRUNCATION, 10.0)})

    @dataclasses.dataclass(frozen=True)
    class Options(Conditional.Options):
        orthogonal_weight: float = 0.0

    def row_inputs(
        self,
        seed: tf.Tensor,
        temperature: tf.Tensor,
        labels: tf.Tensor | None = None,
        *,
        truncation: tf.Tensor,
    ) -> Batch:
        """Latents beyond ``truncation`` [n] are drawn again; there are no clusters."""
        latents = truncated_row_latents(
            self.options.latent_distribution, self.latent_dim, seed, truncation
        )
        return {"latents": latents * temperature[:, tf.newaxis]}

    def _generator_loss(self, real, fake, fakes: Batch) -> Terms:
        terms = super()._generator_loss(real, fake, fakes)
        weight = self.options.orthogonal_weight
        if weight:
            # A table of embeddings is no map from one layer to the next.
            kernels = [
                variable
                for variable in self.generator.trainable_variables
                if len(variable.shape) > 1 and "embeddings" not in variable.path
            ]
            terms["orthogonal"] = weight * tf.add_n(
                [penalties.orthogonal(tf.convert_to_tensor(k)) for k in kernels]
            )
        return terms
