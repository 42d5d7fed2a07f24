"""Small networks on points of one or two dimensions.

Each function returns a pair of Keras models, G and D:

- G: latents [batch, latent_dim] → points [batch, 1 or 2];
- D: points → logits [batch, 1]. A D that sees several samples as one has an input so
  many times as wide, with the samples side by side, and gives one logit for them.
"""

from __future__ import annotations

from collections.abc import Callable

import keras
from keras import layers, ops

from tfgan_mnist.networks.dcgan import Pair
from tfgan_mnist.networks.pytorch import PyTorch

MINIBATCH = 100


def gaussian(latent_dim: int, base_channels: int, seed: int) -> Pair:
    """D sees 100 numbers and their squared deviations from their mean, as one vector.

    With 50 base channels: G 1 → 50 ELU → 50 sigmoid → 1; D 200 → 50 ELU → 50 ELU → 1.
    Initial weights are PyTorch's, also of the two networks below.
    """
    return _gaussian(latent_dim, base_channels, seed, deviations=True)


def gaussian_raw(latent_dim: int, base_channels: int, seed: int) -> Pair:
    """As ``gaussian``, but D sees the 100 numbers alone: 100 → 50 → 50 → 1."""
    return _gaussian(latent_dim, base_channels, seed, deviations=False)


def gaussian_single(latent_dim: int, base_channels: int, seed: int) -> Pair:
    """As ``gaussian``, but D sees one number at a time: 1 → 50 → 50 → 1."""
    return _gaussian(latent_dim, base_channels, seed, deviations=False, minibatch=1)


def _gaussian(
    latent_dim: int,
    base_channels: int,
    seed: int,
    deviations: bool,
    minibatch: int = MINIBATCH,
) -> Pair:
    c, torch = base_channels, PyTorch(seed)
    generator = keras.Sequential(
        [
            keras.Input([latent_dim], name="latents"),
            torch.dense(latent_dim, c, activation="elu"),
            torch.dense(c, c, activation="sigmoid"),
            torch.dense(c, 1, dtype="float32"),
        ],
        name="generator",
    )
    values = x = keras.Input([minibatch], name="points")
    if deviations:
        # The source takes the mean as a constant: no gradient flows through it.
        mean = ops.stop_gradient(ops.mean(x, axis=1, keepdims=True))
        squares = ops.square(x - mean)
        x = layers.Concatenate()([x, squares])
    for _ in range(2):
        x = layers.ELU()(torch.dense(x.shape[-1], c)(x))
    logits = torch.dense(c, 1, dtype="float32")(x)
    return generator, keras.Model(values, logits, name="discriminator")


def moons(latent_dim: int, base_channels: int, seed: int) -> Pair:
    """One hidden layer each. With 128 base channels: G 32 → 128 → 2; D 2 → 128 → 1.

    Initial weights are PyTorch's.
    """
    return _relu_networks(latent_dim, base_channels, 1, PyTorch(seed).dense)


def points(latent_dim: int, base_channels: int, seed: int) -> Pair:
    """Three hidden layers of ReLUs each, all of ``base_channels`` units."""
    init = keras.initializers.GlorotUniform(seed=keras.random.SeedGenerator(seed))

    def dense(inputs, units, **options):
        return layers.Dense(units, kernel_initializer=init, **options)

    return _relu_networks(latent_dim, base_channels, 3, dense)


def _relu_networks(
    latent_dim: int,
    units: int,
    hidden_layers: int,
    dense: Callable[..., layers.Dense],
) -> Pair:
    def network(inputs, outputs, name, input_name):
        hidden = []
        for i in range(hidden_layers):
            hidden += [dense(units if i else inputs, units), layers.ReLU()]
        return keras.Sequential(
            [
                keras.Input([inputs], name=input_name),
                *hidden,
                dense(units, outputs, dtype="float32"),
            ],
            name=name,
        )

    return (
        network(latent_dim, 2, "generator", "latents"),
        network(2, 1, "discriminator", "points"),
    )


def maxout(latent_dim: int, base_channels: int, seed: int) -> Pair:
    """The plain GAN's networks of the mixtures' published results: D packs nothing.

    Lin et al., 2018 (arXiv:1712.04086) as their code has them for the grid. With 400
    base channels: G 2 → 4 × (400 without bias, batch normalisation, ReLU) → 2; D 2 → 3
    × (maxout of five products of 200) → 1. Weights from normal(0, 0.02).
    """
    c = base_channels
    seeds = keras.random.SeedGenerator(seed)
    init = keras.initializers.RandomNormal(0.0, 0.02, seed=seeds)
    hidden: list[layers.Layer] = []
    for _ in range(4):
        hidden += [
            layers.Dense(c, use_bias=False, kernel_initializer=init),
            layers.BatchNormalization(momentum=0.95, epsilon=1e-4),
            layers.ReLU(),
        ]
    generator = keras.Sequential(
        [
            keras.Input([latent_dim], name="latents"),
            *hidden,
            layers.Dense(2, kernel_initializer=init, dtype="float32"),
        ],
        name="generator",
    )
    pieces, units = 5, c // 2
    inputs = x = keras.Input([2], name="points")
    for _ in range(3):
        x = layers.Dense(units * pieces, kernel_initializer=init)(x)
        x = ops.max(layers.Reshape([units, pieces])(x), axis=-1)
    logits = layers.Dense(1, kernel_initializer=init, dtype="float32")(x)
    return generator, keras.Model(inputs, logits, name="discriminator")
