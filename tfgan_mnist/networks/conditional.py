"""Networks that are told a label (Mirza and Osindero, 2014, arXiv:1411.1784).

Each function returns a pair of Keras models, G and D:

- G: latents [batch, latent_dim] and label int32 [batch] → images [batch, 28, 28, 1];
- D: images and label → logits [batch, 1].

Labels are from 0 to below ``classes``.
"""

from __future__ import annotations

from collections.abc import Callable

import keras
from keras import layers, ops

from tfgan_mnist.networks import dcgan
from tfgan_mnist.networks.dcgan import Pair

EMBEDDED = 10  # numbers of a label's embedding


def cgan_onehot(latent_dim: int, base_channels: int, seed: int, classes: int) -> Pair:
    """Fully connected; the label as a one-hot vector beside the input.

    With 128 base channels: G 110 → 128 → 256 → 512 → 784, batch normalisation after the
    second and third layer; D 794 → 512 → 256 → 1. Leaky ReLUs of slope 0.2.
    """
    c = base_channels
    init = _glorot(seed)

    def one_hot(label):
        return ops.one_hot(label, classes)

    generator = _generator(latent_dim, (c, 2 * c, 4 * c), one_hot, init)
    discriminator = _discriminator((4 * c, 2 * c), (), one_hot, init)
    return generator, discriminator


def cgan_embedding(
    latent_dim: int, base_channels: int, seed: int, classes: int
) -> Pair:
    """Fully connected; a learned embedding of the label, 10 numbers, beside the input.

    With 128 base channels: G 110 → 128 → 256 → 512 → 1024 → 784, batch normalisation
    after the second to fourth layer; D 794 → 512 → 256 → 1, batch normalisation after
    the second. Leaky ReLUs of slope 0.2.
    """
    c = base_channels
    init = _glorot(seed)
    table = keras.initializers.RandomNormal(seed=init.seed)

    def embed(label):
        return layers.Embedding(classes, EMBEDDED, table)(label)

    generator = _generator(latent_dim, (c, 2 * c, 4 * c, 8 * c), embed, init)
    discriminator = _discriminator((4 * c, 2 * c), (1,), embed, init)
    return generator, discriminator


def cdcgan(latent_dim: int, base_channels: int, seed: int, classes: int) -> Pair:
    """The networks of ``dcgan.dcgan``, told a label."""
    return conditioned(dcgan.dcgan, latent_dim, base_channels, seed, classes)


def cdcgan_fast(latent_dim: int, base_channels: int, seed: int, classes: int) -> Pair:
    """The networks of ``dcgan.dcgan_fast``, told a label."""
    return conditioned(dcgan.dcgan_fast, latent_dim, base_channels, seed, classes)


def conditioned(
    make: Callable[[int, int, int], Pair],
    latent_dim: int,
    base_channels: int,
    seed: int,
    classes: int,
) -> Pair:
    """A pair without labels, told them.

    G takes the one-hot label beside the latents. D adds the product of its last
    features with a learned vector of the label to its logit (Miyato and Koyama, 2018,
    "cGANs with projection discriminator", arXiv:1802.05637).

    Args:
      make: the pair of a latent_dim, base_channels and seed; its D is sequential.
      others: as of the pairs above.
    """
    generator, discriminator = make(latent_dim + classes, base_channels, seed)
    latents, label = keras.Input([latent_dim], name="latents"), _label()
    one_hot = ops.one_hot(label, classes)
    images = generator(layers.Concatenate()([latents, one_hot]))
    whole_generator = keras.Model([latents, label], images, name="generator")

    *body, last = discriminator.layers
    features = keras.Sequential([discriminator.inputs[0], *body])
    images, label = keras.Input(images.shape[1:], name="images"), _label()
    x = features(images)
    table = keras.initializers.GlorotUniform(seed=seed)
    direction = layers.Embedding(classes, x.shape[-1], table)(label)
    product = layers.Dot(1, dtype="float32")([x, direction])
    logits = layers.Add(dtype="float32")([last(x), product])
    whole_discriminator = keras.Model([images, label], logits, name="discriminator")
    return whole_generator, whole_discriminator


def _glorot(seed: int) -> keras.initializers.Initializer:
    return keras.initializers.GlorotUniform(seed=keras.random.SeedGenerator(seed))


def _label():
    return keras.Input([], dtype="int32", name="label")


def _norm():
    # Epsilon 0.8 is what the source's code computes: it passes 0.8 where PyTorch's
    # second argument stands, which is epsilon; momentum may have been meant.
    return layers.BatchNormalization(momentum=0.9, epsilon=0.8)


def _generator(
    latent_dim: int, widths: tuple[int, ...], code: Callable, init
) -> keras.Model:
    latents, label = keras.Input([latent_dim], name="latents"), _label()
    x = layers.Concatenate()([latents, code(label)])
    for i, units in enumerate(widths):
        x = layers.Dense(units, kernel_initializer=init)(x)
        if i:
            x = _norm()(x)
        x = layers.LeakyReLU(0.2)(x)
    x = layers.Dense(28 * 28, kernel_initializer=init)(x)
    images = layers.Activation("tanh", dtype="float32")(layers.Reshape([28, 28, 1])(x))
    return keras.Model([latents, label], images, name="generator")


def _discriminator(
    widths: tuple[int, ...], normalised: tuple[int, ...], code: Callable, init
) -> keras.Model:
    images, label = keras.Input([28, 28, 1], name="images"), _label()
    x = layers.Concatenate()([layers.Flatten()(images), code(label)])
    for i, units in enumerate(widths):
        x = layers.Dense(units, kernel_initializer=init)(x)
        if i in normalised:
            x = _norm()(x)
        x = layers.LeakyReLU(0.2)(x)
    logits = layers.Dense(1, kernel_initializer=init, dtype="float32")(x)
    return keras.Model([images, label], logits, name="discriminator")
