"""Networks that are told a label (Mirza and Osindero, 2014, arXiv:1411.1784).

Each function returns a pair of Keras models, G and D:

- G: latents [batch, latent_dim] and label int32 [batch] → images [batch, size, size,
  channels], 28×28 and grey unless a function takes another shape;
- D: images and label → logits [batch, 1].

Labels are from 0 to below ``classes``.
"""

from __future__ import annotations

import functools
from collections.abc import Callable, Sequence

import keras
import numpy as np
from keras import layers, ops

from tfgan_mnist.networks import dcgan
from tfgan_mnist.networks.dcgan import Pair
from tfgan_mnist.networks.pytorch import PyTorch

EMBEDDED = 10  # numbers of a label's embedding
EMBEDDED_CLUSTER = 64  # and of a cluster's


def cgan_onehot(latent_dim: int, base_channels: int, seed: int, classes: int) -> Pair:
    """Fully connected; the label as a one-hot vector beside the input.

    With 128 base channels: G 110 → 128 → 256 → 512 → 784, batch normalisation after the
    second and third layer; D 794 → 512 → 256 → 1. Leaky ReLUs of slope 0.2.
    """
    c, torch = base_channels, PyTorch(seed)

    def one_hot(label):
        return ops.one_hot(label, classes)

    generator = _generator(latent_dim, (c, 2 * c, 4 * c), one_hot, torch)
    discriminator = _discriminator((4 * c, 2 * c), (), one_hot, torch)
    return generator, discriminator


def cgan_embedding(
    latent_dim: int, base_channels: int, seed: int, classes: int
) -> Pair:
    """Fully connected; a learned embedding of the label, 10 numbers, beside the input.

    With 128 base channels: G 110 → 128 → 256 → 512 → 1024 → 784, batch normalisation
    after the second to fourth layer; D 794 → 512 → 256 → 1, batch normalisation after
    the second. Leaky ReLUs of slope 0.2.
    """
    c, torch = base_channels, PyTorch(seed)

    def embed(label):
        return torch.embedding(classes, EMBEDDED)(label)

    generator = _generator(latent_dim, (c, 2 * c, 4 * c, 8 * c), embed, torch)
    discriminator = _discriminator((4 * c, 2 * c), (1,), embed, torch)
    return generator, discriminator


def cdcgan(
    latent_dim: int,
    base_channels: int,
    seed: int,
    classes: int,
    image_size: int = 28,
    channels: int = 1,
) -> Pair:
    """The networks of ``dcgan.dcgan``, told a label."""
    make = functools.partial(dcgan.dcgan, image_size=image_size, channels=channels)
    return conditioned(make, latent_dim, base_channels, seed, classes)


def cdcgan_fast(
    latent_dim: int,
    base_channels: int,
    seed: int,
    classes: int,
    image_size: int = 28,
    channels: int = 1,
) -> Pair:
    """The networks of ``dcgan.dcgan_fast``, told a label."""
    make = functools.partial(dcgan.dcgan_fast, image_size=image_size, channels=channels)
    return conditioned(make, latent_dim, base_channels, seed, classes)


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
    whole_generator = _told(generator, latent_dim, classes)

    return whole_generator, _projected(discriminator, seed, classes)


def clustered(
    make: Callable[..., Pair],
    classes: int,
    latent_dim: int,
    base_channels: int,
    seed: int,
    clusters: int,
    stacked: int = 1,
) -> Pair:
    """A pair that is told clusters: G a mixture of them, D one.

    G takes [latents [batch, latent_dim], mixture [batch, clusters]], and a label if the
    pair takes one; the mixture of ``EMBEDDED_CLUSTER`` learned numbers of each cluster
    goes beside the latents. D takes [images, cluster int32 [batch]], a number from 0 to
    below ``clusters``: in a label's place or, of a pair without, as in ``conditioned``.
    Of stacks, which have no labels, G takes the mixtures of their images, one after
    another, and adds up ``stacked`` times as many numbers of each image's clusters; D
    takes [images, clusters int32 [batch, stacked]].

    Args:
      make: the pair, of a latent_dim, base_channels, seed and, with labels, their
        number.
      classes: labels that the pair takes; 0 if none.
      clusters: how many there are, of all classes together.
      stacked: images in a stack, each with a cluster of its own; 1 if not stacked.
      others: as of the pairs above.
    """
    labels = [classes] if classes else []
    told_size = stacked * EMBEDDED_CLUSTER
    size = latent_dim + told_size
    generator, discriminator = make(size, base_channels, seed, *labels)
    if classes:
        _, discriminator = make(latent_dim, base_channels, seed, clusters)
    else:
        discriminator = _projected(discriminator, seed, clusters, stacked)
    latents = keras.Input([latent_dim], name="latents")
    mixture = keras.Input([stacked * clusters], name="mixture")
    told = [_label()] if classes else []
    # As spread as latents are, where the mixture is of one cluster alone; of a stack,
    # whose images' numbers are added, √stacked times as much.
    table = keras.initializers.RandomNormal(stddev=1.0, seed=seed)
    embed = layers.Dense(told_size, use_bias=False, kernel_initializer=table)
    both = layers.Concatenate()([latents, embed(mixture)])
    images = generator([both, *told] if told else both)
    generator = keras.Model([latents, mixture, *told], images, name="generator")
    return generator, discriminator


def _projected(
    discriminator: keras.Model, seed: int, classes: int, stacked: int = 1
) -> keras.Model:
    """A sequential D, [batch, ...] → [batch, 1], told a label int32 [batch] too.

    The product of its features before the last layer with a learned vector of the label
    is added to the logit; of several labels, [batch, stacked], the sum of theirs.
    """
    *body, last = discriminator.layers
    features = keras.Sequential([discriminator.inputs[0], *body])
    shape = discriminator.inputs[0].shape[1:]
    images = keras.Input(shape, name="images")
    label = _label([stacked] if stacked > 1 else [])
    x = features(images)
    table = keras.initializers.GlorotUniform(seed=seed)
    embed = layers.Embedding(stacked * classes, x.shape[-1], table)
    if stacked > 1:
        direction = ops.sum(embed(label + classes * np.arange(stacked)), axis=1)
    else:
        direction = embed(label)
    product = layers.Dot(1, dtype="float32")([x, direction])
    logits = layers.Add(dtype="float32")([last(x), product])
    return keras.Model([images, label], logits, name="discriminator")


def acgan(
    latent_dim: int,
    base_channels: int,
    seed: int,
    classes: int,
    image_size: int = 28,
    channels: int = 1,
) -> Pair:
    """The networks of ``dcgan.dcgan_fast``; D answers the class too.

    Odena et al., 2017 (arXiv:1610.09585). G takes the one-hot label beside the latents;
    D turns images alone into [logits [batch, 1], class logits [batch, classes]].
    """
    generator, discriminator = dcgan.dcgan_fast(
        latent_dim + classes, base_channels, seed, image_size, channels
    )
    *body, last = discriminator.layers
    images = keras.Input(discriminator.inputs[0].shape[1:], name="images")
    x = keras.Sequential([discriminator.inputs[0], *body])(images)
    init = keras.initializers.GlorotUniform(seed=seed)
    class_logits = layers.Dense(classes, kernel_initializer=init, dtype="float32")(x)
    discriminator = keras.Model(images, [last(x), class_logits], name="discriminator")
    return _told(generator, latent_dim, classes), discriminator


def _told(generator: keras.Model, latent_dim: int, classes: int) -> keras.Model:
    """A generator whose last inputs are a one-hot label."""
    latents, label = keras.Input([latent_dim], name="latents"), _label()
    one_hot = ops.one_hot(label, classes)
    images = generator(layers.Concatenate()([latents, one_hot]))
    return keras.Model([latents, label], images, name="generator")


def _label(shape: Sequence[int] = ()):
    return keras.Input(shape, dtype="int32", name="label")


# Batch normalisation's epsilon. The source's code passes 0.8 where PyTorch's second
# argument stands, which is epsilon; momentum may have been meant.
NORM_EPSILON = 0.8


def _generator(
    latent_dim: int, widths: tuple[int, ...], code: Callable, torch: PyTorch
) -> keras.Model:
    latents, label = keras.Input([latent_dim], name="latents"), _label()
    x = layers.Concatenate()([latents, code(label)])
    for i, units in enumerate(widths):
        x = torch.dense(x.shape[-1], units)(x)
        if i:
            x = torch.norm(epsilon=NORM_EPSILON)(x)
        x = layers.LeakyReLU(0.2)(x)
    x = torch.dense(x.shape[-1], 28 * 28)(x)
    images = layers.Activation("tanh", dtype="float32")(layers.Reshape([28, 28, 1])(x))
    return keras.Model([latents, label], images, name="generator")


def _discriminator(
    widths: tuple[int, ...],
    normalised: tuple[int, ...],
    code: Callable,
    torch: PyTorch,
) -> keras.Model:
    images, label = keras.Input([28, 28, 1], name="images"), _label()
    x = layers.Concatenate()([layers.Flatten()(images), code(label)])
    for i, units in enumerate(widths):
        x = torch.dense(x.shape[-1], units)(x)
        if i in normalised:
            x = torch.norm(epsilon=NORM_EPSILON)(x)
        x = layers.LeakyReLU(0.2)(x)
    logits = torch.dense(x.shape[-1], 1, dtype="float32")(x)
    return keras.Model([images, label], logits, name="discriminator")
