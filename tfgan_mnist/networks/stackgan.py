"""StackGAN (Zhang et al., 2017, arXiv:1612.03242), narrow: from words to digits.

Captions are numbers of words, int64 [batch, any length], 0 after the last. The models:

- G: latents [batch, latent_dim] and captions → images [batch, 14, 14, 1] in [-1, 1],
  and the mean and log variance of the condition, [batch, ``CONDITION``] each;
- refiner: the same and G's images → images [batch, 28, 28, 1], and those of a condition
  of its own;
- D: images and captions → logits [batch, 1].

Each has a text encoder of its own.
"""

from __future__ import annotations

from collections.abc import Sequence

import keras
from keras import layers, ops

from tfgan_mnist.networks.dcgan import Pair

EMBEDDED = 32  # numbers of a word's embedding
TEXT = 64  # numbers that a caption is encoded in
CONDITION = 16  # numbers of a condition


def stackgan_1(latent_dim: int, base_channels: int, seed: int, words: int) -> Pair:
    """The first stage, of 14×14.

    With 16 base channels: G 7×7×64 → 14×14×32 → 14×14×1; D 7×7×32 → 4×4×64 → 1. The
    product of D's last features with a direction that follows from the caption is added
    to its logit (Miyato and Koyama, 2018, arXiv:1802.05637), where the paper puts the
    caption beside the last maps.

    Args:
      words: how many numbers there are.
      others: as of ``dcgan_fast``.
    """
    c = base_channels
    generator = _generator(latent_dim, c, seed, words)
    return generator, _discriminator(14, (2 * c, 4 * c), seed, words)


def stackgan_2(
    latent_dim: int, base_channels: int, seed: int, words: int
) -> tuple[keras.Model, keras.Model, keras.Model]:
    """The second stage: G of the first one, a refiner, and D of 28×28.

    With 16 base channels the refiner takes the image down to 7×7×32, puts the condition
    beside it at every place, and goes on with 7×7×64, a residual block, 14×14×32 and
    28×28×16 (section 3.4). D is ``dcgan_fast``'s but for the caption's product.
    """
    c = base_channels
    return (
        _generator(latent_dim, c, seed, words),
        _refiner(latent_dim, c, seed, words),
        _discriminator(28, (c, 2 * c, 4 * c), seed, words),
    )


class _Layers:
    """Layers whose weights begin at random, each from a seed of its own."""

    def __init__(self, seed: int):
        self._seed = keras.random.SeedGenerator(seed)
        self._glorot = keras.initializers.GlorotUniform(seed=self._seed)

    def dense(self, units: int, **options) -> keras.Layer:
        return layers.Dense(units, kernel_initializer=self._glorot, **options)

    def conv(self, channels: int, size: int, stride: int = 1, **options):
        return layers.Conv2D(
            channels, size, stride, "same", kernel_initializer=self._glorot, **options
        )

    def normalised(self, x):
        return layers.ReLU()(layers.BatchNormalization(momentum=0.9)(x))

    def up(self, x, channels: int):
        x = layers.Conv2DTranspose(
            channels,
            4,
            2,
            "same",
            use_bias=False,
            kernel_initializer=self._glorot,
        )(x)
        return self.normalised(x)

    def text(self, captions, words: int):
        """Captions encoded in [batch, TEXT] numbers: the largest of every feature of
        three words that follow each other (Kim, 2014, arXiv:1408.5882).

        What fills a caption up counts for nothing. Keras's convolutions and poolings
        know no masks, so it is multiplied by 0 before and after.
        """
        normal = keras.initializers.RandomNormal(stddev=1.0, seed=self._seed)
        x = layers.Embedding(words, EMBEDDED, normal)(captions)
        is_word = ops.cast(ops.not_equal(captions, 0), x.dtype)[..., None]
        x = layers.Conv1D(TEXT, 3, padding="same", kernel_initializer=self._glorot)(
            x * is_word
        )
        return layers.GlobalMaxPooling1D()(layers.ReLU()(x) * is_word)

    def condition(self, captions, words: int, latents):
        """A condition [batch, CONDITION], and its mean and log variance.

        Conditioning augmentation (section 3.2): it is drawn from a normal distribution
        that follows from the caption. The last latents are what it is drawn with.
        """
        size = min(CONDITION, latents.shape[-1])
        text = self.text(captions, words)
        mean, log_variance = (self.dense(size, dtype="float32")(text) for _ in range(2))
        drawn = mean + ops.exp(0.5 * log_variance) * latents[:, -size:]
        return drawn, mean, log_variance

    def everywhere(self, numbers, size: int):
        """Numbers [batch, n] at every place of maps [batch, size, size, n]."""
        row = layers.RepeatVector(size * size)(numbers)
        return layers.Reshape([size, size, numbers.shape[-1]])(row)


def _captions():
    return keras.Input([None], dtype="int64", name="captions")


def _generator(latent_dim: int, c: int, seed: int, words: int) -> keras.Model:
    make = _Layers(seed)
    latents, captions = keras.Input([latent_dim], name="latents"), _captions()
    drawn, mean, log_variance = make.condition(captions, words, latents)
    rest = latents[:, : latent_dim - drawn.shape[-1]]
    x = layers.Concatenate()([rest, drawn]) if rest.shape[-1] else drawn
    x = make.dense(7 * 7 * 4 * c, use_bias=False)(x)
    x = make.normalised(layers.Reshape([7, 7, 4 * c])(x))
    x = make.conv(1, 3)(make.up(x, 2 * c))
    images = layers.Activation("tanh", dtype="float32")(x)
    return keras.Model(
        [latents, captions], [images, mean, log_variance], name="generator"
    )


def _refiner(latent_dim: int, c: int, seed: int, words: int) -> keras.Model:
    make = _Layers(seed)
    latents, captions = keras.Input([latent_dim], name="latents"), _captions()
    small = keras.Input([14, 14, 1], name="images")
    drawn, mean, log_variance = make.condition(captions, words, latents)
    x = layers.ReLU()(make.conv(c, 3)(small))
    x = make.normalised(make.conv(2 * c, 4, 2, use_bias=False)(x))
    x = layers.Concatenate()([x, make.everywhere(drawn, 7)])
    x = make.normalised(make.conv(4 * c, 3, use_bias=False)(x))
    more = make.normalised(make.conv(4 * c, 3, use_bias=False)(x))
    more = make.conv(4 * c, 3, use_bias=False)(more)
    x = layers.Add()([x, layers.BatchNormalization(momentum=0.9)(more)])
    x = make.up(layers.ReLU()(x), 2 * c)
    x = make.conv(1, 3)(make.up(x, c))
    images = layers.Activation("tanh", dtype="float32")(x)
    return keras.Model(
        [latents, captions, small], [images, mean, log_variance], name="refiner"
    )


def _discriminator(
    size: int, widths: Sequence[int], seed: int, words: int
) -> keras.Model:
    make = _Layers(seed)
    images, captions = keras.Input([size, size, 1], name="images"), _captions()
    x = images
    for width in widths:
        x = layers.LeakyReLU(0.2)(make.conv(width, 4, 2)(x))
    x = layers.Flatten()(x)
    direction = make.dense(x.shape[-1], use_bias=False)(make.text(captions, words))
    product = layers.Dot(1, dtype="float32")([x, direction])
    logits = layers.Add(dtype="float32")([make.dense(1, dtype="float32")(x), product])
    return keras.Model([images, captions], logits, name="discriminator")
