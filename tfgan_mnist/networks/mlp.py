"""Fully connected networks on 28×28 images."""

from __future__ import annotations

import itertools

import keras
from keras import layers

from tfgan_mnist.networks.dcgan import Pair
from tfgan_mnist.networks.pytorch import PyTorch


def mlp(latent_dim: int, base_channels: int, seed: int) -> Pair:
    """Three hidden layers against two (Goodfellow et al., 2014, arXiv:1406.2661).

    With 256 base channels: G 100 → 256 → 512 → 1024 → 784; D 784 → 512 → 256 → 1. Every
    hidden layer has a leaky ReLU of slope 0.2. Initial weights are PyTorch's.
    """
    c, torch = base_channels, PyTorch(seed)

    def hidden(*widths):
        for inputs, units in itertools.pairwise(widths):
            yield torch.dense(inputs, units)
            yield layers.LeakyReLU(0.2)

    generator = keras.Sequential(
        [
            keras.Input([latent_dim], name="latents"),
            *hidden(latent_dim, c, 2 * c, 4 * c),
            torch.dense(4 * c, 28 * 28),
            layers.Reshape([28, 28, 1]),
            layers.Activation("tanh", dtype="float32"),
        ],
        name="generator",
    )
    discriminator = keras.Sequential(
        [
            keras.Input([28, 28, 1], name="images"),
            layers.Flatten(),
            *hidden(28 * 28, 2 * c, c),
            torch.dense(c, 1, dtype="float32"),
        ],
        name="discriminator",
    )
    return generator, discriminator
