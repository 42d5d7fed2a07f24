"""Networks for Stacked MNIST, of G: latents → images [batch, 28, 28, 3] in [-1, 1]."""

from __future__ import annotations

import keras
from keras import layers

from tfgan_mnist.networks.dcgan import Pair, image_discriminator


def stacked(latent_dim: int, base_channels: int, seed: int) -> Pair:
    """The small discriminator of the unrolled GAN, with half of G's channels.

    With 8 base channels: G 4×4×64 → 7×7×32 → 14×14×16 → 28×28×8 → 28×28×3, batch
    normalised; D 14×14×4 → 7×7×8 → 4×4×16 → 1; kernels 3×3 (Metz et al., 2016,
    arXiv:1611.02163, appendix D; Lin et al., 2018, arXiv:1712.04086, section 4.2). D
    is not batch normalised, as theirs was: a penalty takes a gradient of each sample.
    """
    c = base_channels
    init = keras.initializers.GlorotUniform(seed=keras.random.SeedGenerator(seed))
    options = {"padding": "same", "kernel_initializer": init}

    def normalised():
        yield layers.BatchNormalization(momentum=0.9)
        yield layers.ReLU()

    def up(channels):
        yield layers.Conv2DTranspose(channels, 3, 2, use_bias=False, **options)

    def down(channels):
        yield layers.Conv2D(channels, 3, 2, **options)
        yield layers.LeakyReLU(0.3)

    generator = keras.Sequential(
        [
            keras.Input([latent_dim], name="latents"),
            layers.Dense(4 * 4 * 8 * c, use_bias=False, kernel_initializer=init),
            layers.Reshape([4, 4, 8 * c]),
            *normalised(),
            *up(4 * c),  # 8×8
            layers.Cropping2D(((0, 1), (0, 1))),  # 7×7
            *normalised(),
            *up(2 * c),  # 14×14
            *normalised(),
            *up(c),  # 28×28
            *normalised(),
            layers.Conv2D(3, 3, **options),
            layers.Activation("tanh", dtype="float32"),
        ],
        name="generator",
    )
    discriminator = image_discriminator(
        28,
        [
            *down(c // 2),  # 14×14
            *down(c),  # 7×7
            *down(2 * c),  # 4×4
        ],
        init,
        channels=3,
    )
    return generator, discriminator
