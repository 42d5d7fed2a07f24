"""BigGAN (Brock et al., 2019, arXiv:1809.11096) on small images.

Each function returns a pair of Keras models, G and D:

- G: latents [batch, latent_dim] and label int32 [batch] → images [batch, size, size,
  channels] in [-1, 1];
- D: images and label → logits [batch, 1].

Spectral normalisation is the flags' to add. ``seed`` makes the initial weights.
"""

from __future__ import annotations

import keras
import numpy as np
from keras import layers, ops

from tfgan_mnist.networks.dcgan import Pair, widths_of

EMBEDDED = 16  # numbers of a label's embedding, which all layers of G share


def biggan(
    latent_dim: int,
    base_channels: int,
    seed: int,
    classes: int,
    image_size: int = 28,
    channels: int = 1,
    attention: bool = True,
    chunks: bool = True,
) -> Pair:
    """Residual blocks with self-attention at 14×14 (appendix B of the paper).

    With 12 base channels: G 7×7×48 → 14×14×24 → 28×28×12 → 28×28×1. The latents are
    cut in three: the first part makes the 7×7 maps, each other one, beside the label's
    embedding, the gains and offsets of a block's batch normalisation. D 14×14×12 →
    7×7×24 → 4×4×48, summed over places; the label's projection is added to the logit.
    Weights begin orthogonal. Images of 32×32 begin at 8×8, and so do larger ones, with
    a block more on either side for each doubling; attention is then at 16×16.

    Args:
      attention: whether there is any.
      chunks: whether the latents are cut; if not, all of them make the first maps, and
        blocks are told the label alone.
      others: as of ``dcgan``'s.
    """
    c, make = base_channels, _Layers(seed)
    widths = widths_of(c, image_size)
    latents = keras.Input([latent_dim], name="latents")
    parts = _cut(latents, len(widths)) if chunks else [latents]
    generator = _generator(
        make, latents, parts, widths, classes, image_size, channels, attention
    )
    discriminator = _discriminator(
        make, widths, classes, image_size, channels, attention
    )
    return generator, discriminator


def biggan_without_attention(*arguments, **shape) -> Pair:
    """``biggan`` but for the self-attention in both networks."""
    return biggan(*arguments, **shape, attention=False)


def biggan_without_chunks(*arguments, **shape) -> Pair:
    """``biggan``, but all latents make the first maps."""
    return biggan(*arguments, **shape, chunks=False)


ATTENTIVE = (14, 16)
"""Heights of the maps over which there is attention."""


def _cut(latents, count: int) -> list:
    """The latents' parts, of about one size; of very few latents fewer than asked."""
    places = np.array_split(np.arange(latents.shape[-1]), count)
    return [latents[:, p[0] : p[-1] + 1] for p in places if len(p)]


class _Layers:
    """Layers whose kernels begin orthogonal, each from a seed of its own."""

    def __init__(self, seed: int):
        seed = keras.random.SeedGenerator(seed)
        self._orthogonal = keras.initializers.Orthogonal(seed=seed)

    def dense(self, units: int, **options) -> keras.Layer:
        return layers.Dense(units, kernel_initializer=self._orthogonal, **options)

    def conv(self, channels: int, size: int, stride: int = 1, **options):
        init = self._orthogonal
        return layers.Conv2D(
            channels, size, stride, "same", kernel_initializer=init, **options
        )

    def embedding(self, classes: int, numbers: int) -> keras.Layer:
        return layers.Embedding(classes, numbers, self._orthogonal)

    def attention(self, x):
        """Self-attention over places (Zhang et al., 2018, arXiv:1805.08318).

        Every place [height · width] looks at every second one in height and width, and
        adds what it finds times a learned number, at first 0.
        """
        height, width, channels = x.shape[1:]
        inner, values = max(channels // 8, 1), max(channels // 2, 1)

        def rows(maps):
            return layers.Reshape([-1, maps.shape[-1]])(maps)

        query = rows(self.conv(inner, 1, use_bias=False)(x))
        pool = layers.MaxPooling2D()
        key = rows(pool(self.conv(inner, 1, use_bias=False)(x)))
        value = rows(pool(self.conv(values, 1, use_bias=False)(x)))
        scores = layers.Dot((2, 2))([query, key])  # [batch, places, places seen]
        found = layers.Dot((2, 1))([layers.Softmax()(scores), value])
        found = layers.Reshape([height, width, values])(found)
        found = self.conv(channels, 1, use_bias=False)(found)
        return layers.Add()([x, Scale()(found)])


class Scale(layers.Layer):
    """One learned number, at first 0, times the inputs."""

    def build(self, input_shape):
        self.factor = self.add_weight(shape=(), initializer="zeros", name="factor")

    def call(self, inputs):
        return inputs * self.factor


def _generator(
    make, latents, parts, widths, classes, image_size, channels, attention
) -> keras.Model:
    label = keras.Input([], dtype="int32", name="label")
    embedded = make.embedding(classes, EMBEDDED)(label)
    *narrower, widest = widths
    first = image_size // 2 ** len(narrower)

    def norm(x, code):
        """Batch normalisation whose gains and offsets follow from a code."""
        width = x.shape[-1]
        x = layers.BatchNormalization(momentum=0.9, center=False, scale=False)(x)
        gain, offset = (
            layers.Reshape([1, 1, width])(make.dense(width, use_bias=False)(code))
            for _ in range(2)
        )
        return x * (1.0 + gain) + offset

    def up(x, width, code):
        shortcut = layers.UpSampling2D()(make.conv(width, 1)(x))
        x = layers.UpSampling2D()(layers.ReLU()(norm(x, code)))
        x = layers.ReLU()(norm(make.conv(width, 3)(x), code))
        return layers.Add()([make.conv(width, 3)(x), shortcut])

    x = make.dense(first * first * widest)(parts[0])
    x = layers.Reshape([first, first, widest])(x)
    for i, width in enumerate(reversed(narrower), 1):
        told = [embedded, *parts[i : i + 1]]
        x = up(x, width, layers.Concatenate()(told) if told[1:] else embedded)
        if attention and x.shape[1] in ATTENTIVE:
            x = make.attention(x)
    x = layers.ReLU()(layers.BatchNormalization(momentum=0.9)(x))
    x = make.conv(channels, 3)(x)
    images = layers.Activation("tanh", dtype="float32")(x)
    return keras.Model([latents, label], images, name="generator")


def _discriminator(
    make, widths, classes, image_size, channels, attention
) -> keras.Model:
    images = keras.Input([image_size, image_size, channels], name="images")
    label = keras.Input([], dtype="int32", name="label")

    def down(x, width):
        # Convolution and pooling in one: 4×4 with stride 2 for 3×3 and a mean.
        shortcut = make.conv(width, 1)(layers.AveragePooling2D(2, padding="same")(x))
        x = x if x is images else layers.ReLU()(x)
        x = layers.ReLU()(make.conv(width, 3)(x))
        return layers.Add()([make.conv(width, 4, 2)(x), shortcut])

    x = images
    for width in widths:
        x = down(x, width)
        if attention and x.shape[1] in ATTENTIVE:
            x = make.attention(x)
    x = ops.sum(layers.ReLU()(x), axis=(1, 2))
    direction = make.embedding(classes, x.shape[-1])(label)
    product = layers.Dot(1, dtype="float32")([x, direction])
    logits = layers.Add(dtype="float32")([make.dense(1, dtype="float32")(x), product])
    return keras.Model([images, label], logits, name="discriminator")
