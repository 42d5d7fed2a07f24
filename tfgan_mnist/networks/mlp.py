"""Fully connected networks on 28×28 images."""

from __future__ import annotations

import keras
from keras import layers

from tfgan_mnist.networks.dcgan import Pair


def mlp(latent_dim: int, base_channels: int, seed: int) -> Pair:
    """Three hidden layers against two (Goodfellow et al., 2014, arXiv:1406.2661).

    With 256 base channels: G 100 → 256 → 512 → 1024 → 784; D 784 → 512 → 256 → 1. Every
    hidden layer has a leaky ReLU of slope 0.2.
    """
    c = base_channels
    init = keras.initializers.GlorotUniform(seed=keras.random.SeedGenerator(seed))

    def hidden(units):
        yield layers.Dense(units, kernel_initializer=init)
        yield layers.LeakyReLU(0.2)

    generator = keras.Sequential(
        [
            keras.Input([latent_dim], name="latents"),
            *hidden(c),
            *hidden(2 * c),
            *hidden(4 * c),
            layers.Dense(28 * 28, kernel_initializer=init),
            layers.Reshape([28, 28, 1]),
            layers.Activation("tanh", dtype="float32"),
        ],
        name="generator",
    )
    discriminator = keras.Sequential(
        [
            keras.Input([28, 28, 1], name="images"),
            layers.Flatten(),
            *hidden(2 * c),
            *hidden(c),
            layers.Dense(1, kernel_initializer=init, dtype="float32"),
        ],
        name="discriminator",
    )
    return generator, discriminator
