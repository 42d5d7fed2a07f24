"""Deep convolutional GANs (Radford et al., 2015, arXiv:1511.06434) on small images.

Each function returns a pair of Keras models, G and D:

- G: latents [batch, latent_dim] → images [batch, size, size, channels] in [-1, 1];
- D: images [batch, size, size, channels] → logits [batch, 1], positive for real.

``seed`` makes the initial weights: the same seed, the same weights. Images are grey
unless a function takes ``channels``; ``image_size`` is one of ``IMAGE_SIZES``.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence

import keras
from keras import layers

from tfgan_mnist.networks.layers import Dropout, SmallMapConv2D
from tfgan_mnist.networks.pytorch import PyTorch

Pair = tuple[keras.Model, keras.Model]


def widths_of(base_channels: int, image_size: int) -> tuple[int, ...]:
    """Channels of narrow networks' maps, from the largest to 7×7 or 8×8 pixels."""
    c = base_channels
    more = {64: (8 * c,), 128: (8 * c, 8 * c)}
    return c, 2 * c, 4 * c, *more.get(image_size, ())


def image_discriminator(
    size: int,
    body: Sequence[keras.Layer],
    initializer: keras.Initializer,
    channels: int = 1,
) -> keras.Sequential:
    """Layers from images [batch, size, size, channels], and on them one to logits."""
    return keras.Sequential(
        [
            keras.Input([size, size, channels], name="images"),
            *body,
            layers.Flatten(),
            layers.Dense(1, kernel_initializer=initializer, dtype="float32"),
        ],
        name="discriminator",
    )


def dcgan(
    latent_dim: int,
    base_channels: int,
    seed: int,
    image_size: int = 28,
    channels: int = 1,
) -> Pair:
    """Four transposed convolutions from 3×3 to 28×28 against four convolutions.

    With 64 base channels: G 3×3×512 → 6×6×256 → 12×12×128 → 24×24×64 → 28×28×1, all
    kernels 5×5; D 14×14×64 → 7×7×128 → 4×4×256 → 2×2×512 → 1. Batch normalisation has
    momentum 0.9 and an offset but no scale, as TensorFlow 1's layer had by default.

    Larger images are made as in the paper (figure 1), by doubling alone: 4×4×256 →
    8×8×128 → 16×16×64 → 32×32, 4×4×512 → … → 32×32×64 → 64×64, or one more at 4×4×512
    for 128×128.
    """
    c = base_channels
    init = keras.initializers.GlorotUniform(seed=keras.random.SeedGenerator(seed))

    def norm():
        return layers.BatchNormalization(momentum=0.9, epsilon=0.001, scale=False)

    def up(filters):
        yield layers.Conv2DTranspose(filters, 5, 2, "same", kernel_initializer=init)
        yield norm()
        yield layers.ReLU()

    def down(filters, small=False):
        if small:
            yield SmallMapConv2D(filters, 5, 2, init)
        else:
            yield layers.Conv2D(filters, 5, 2, "same", kernel_initializer=init)
        yield norm()
        yield layers.LeakyReLU(0.2)

    if image_size == 28:
        first, widths = 3, (8 * c, 4 * c, 2 * c, c)  # to 24×24
        last = layers.Conv2DTranspose(channels, 5, kernel_initializer=init)  # 28×28
    else:
        doublings = {32: 3, 64: 4, 128: 5}[image_size]
        first, widths = 4, (8 * c, 8 * c, 4 * c, 2 * c, c)[-doublings:]
        last = layers.Conv2DTranspose(channels, 5, 2, "same", kernel_initializer=init)
    generator = keras.Sequential(
        [
            keras.Input([latent_dim], name="latents"),
            layers.Dense(first * first * widths[0], kernel_initializer=init),
            layers.Reshape([first, first, widths[0]]),
            norm(),
            layers.ReLU(),
            *(layer for width in widths[1:] for layer in up(width)),
            last,
            layers.Activation("tanh", dtype="float32"),
        ],
        name="generator",
    )
    discriminator = image_discriminator(
        image_size,
        [
            layers.Conv2D(c, 5, 2, "same", kernel_initializer=init),  # 28: 14×14
            layers.LeakyReLU(0.2),
            *down(2 * c),  # 7×7
            *down(4 * c),  # 4×4
            *down(8 * c, small=image_size < 64),  # 2×2
            *(down(8 * c) if image_size == 128 else ()),
        ],
        init,
        channels,
    )
    return generator, discriminator


def dcgan_tutorial(latent_dim: int, base_channels: int, seed: int) -> Pair:
    """The networks of TensorFlow's DCGAN tutorial.

    With 64 base channels: G 7×7×256 → 7×7×128 → 14×14×64 → 28×28×1, no biases; D
    14×14×64 → 7×7×128 → 1 with dropout and no normalisation.
    """
    c = base_channels
    init = keras.initializers.GlorotUniform(seed=keras.random.SeedGenerator(seed))
    options = {"padding": "same", "kernel_initializer": init}

    def normalised_up(channels, stride):
        yield layers.Conv2DTranspose(channels, 5, stride, use_bias=False, **options)
        yield layers.BatchNormalization()
        yield layers.LeakyReLU(0.3)

    def down(channels):
        yield layers.Conv2D(channels, 5, 2, **options)
        yield layers.LeakyReLU(0.3)
        yield Dropout(0.3)

    generator = keras.Sequential(
        [
            keras.Input([latent_dim], name="latents"),
            layers.Dense(7 * 7 * 4 * c, use_bias=False, kernel_initializer=init),
            layers.BatchNormalization(),
            layers.LeakyReLU(0.3),
            layers.Reshape([7, 7, 4 * c]),
            *normalised_up(2 * c, 1),  # 7×7
            *normalised_up(c, 2),  # 14×14
            layers.Conv2DTranspose(1, 5, 2, use_bias=False, **options),  # 28×28
            layers.Activation("tanh", dtype="float32"),
        ],
        name="generator",
    )
    discriminator = image_discriminator(
        28,
        [
            *down(c),  # 14×14
            *down(2 * c),  # 7×7
        ],
        init,
    )
    return generator, discriminator


def dcgan32(latent_dim: int, base_channels: int, seed: int) -> Pair:
    """A light DCGAN for 32×32 images, initialised as in the paper (section 4).

    With 64 base channels: G 4×4×256 → 9×9×128 → 17×17×64 → 32×32×1; D 16×16×16 →
    8×8×32 → 4×4×64 → 1×1×128 → 1. Weights of convolutions from normal(0, 0.02), scales
    of batch normalisation from normal(1, 0.02); all else as PyTorch has it.
    """
    torch = PyTorch(seed)
    normal = keras.initializers.RandomNormal(0.0, 0.02, seed=torch.seeds)
    scale = keras.initializers.RandomNormal(1.0, 0.02, seed=torch.seeds)

    def norm():
        return torch.norm(gamma_initializer=scale)

    def initial(fan_in):
        return {"kernel_initializer": normal, "bias_initializer": torch.uniform(fan_in)}

    return _dcgan32(latent_dim, base_channels, torch.dense, initial, norm, norm)


def dcgan32_unnormalised(latent_dim: int, base_channels: int, seed: int) -> Pair:
    """``dcgan32`` without normalisation in D, for penalties of its gradient. Ours.

    Under batch normalisation a sample's gradient is one of the whole batch (Gulrajani
    et al., 2017, arXiv:1704.00028, section 4). D's initial weights are Glorot's:
    without normalisation nothing passes through weights as small as the paper's. Biases
    are 0 at first, and normalisation in G is Keras's own.
    """
    seeds = keras.random.SeedGenerator(seed)
    normal = keras.initializers.RandomNormal(0.0, 0.02, seed=seeds)
    scale = keras.initializers.RandomNormal(1.0, 0.02, seed=seeds)
    glorot = keras.initializers.GlorotUniform(seed=seeds)

    def dense(inputs, units, **options):
        return layers.Dense(units, kernel_initializer=glorot, **options)

    return _dcgan32(
        latent_dim,
        base_channels,
        dense,
        lambda fan_in: {"kernel_initializer": normal},
        lambda: layers.BatchNormalization(gamma_initializer=scale),
        None,
        lambda fan_in: {"kernel_initializer": glorot},
    )


def _dcgan32(
    latent_dim: int,
    c: int,
    dense: Callable[..., layers.Dense],
    initial: Callable[[int], dict],
    norm: Callable[[], keras.Layer],
    discriminator_norm: Callable[[], keras.Layer] | None,
    discriminator_initial: Callable[[int], dict] | None = None,
) -> Pair:
    """Networks of ``dcgan32``'s shapes.

    Args:
      latent_dim: numbers in a latent vector.
      c: base channels.
      dense: (inputs, units) → dense layer.
      initial: from a convolution's fan_in to its initializers.
      norm: makes a normalisation in G.
      discriminator_norm: makes one in D, if it has any.
      discriminator_initial: as ``initial``, for D, if it is another.
    """
    of_d = discriminator_initial or initial

    def up(channels, kernel, crop):
        # Cropping a "valid" output is what PyTorch calls padding.
        yield layers.Conv2DTranspose(
            channels, kernel, 2, **initial(channels * kernel**2)
        )
        if crop:
            yield layers.Cropping2D(crop)

    def down(inputs, channels):
        # Keras's "same" pads an even map on one side only; this pads both.
        yield layers.ZeroPadding2D(1)
        yield layers.Conv2D(channels, 3, 2, **of_d(inputs * 3**2))

    def activated():
        if discriminator_norm:
            yield discriminator_norm()
        yield layers.LeakyReLU(0.2)

    generator = keras.Sequential(
        [
            keras.Input([latent_dim], name="latents"),
            dense(latent_dim, 4 * 4 * 4 * c),
            layers.Reshape([4, 4, 4 * c]),
            *up(2 * c, 3, crop=0),  # 9×9
            norm(),
            layers.ReLU(),
            *up(c, 3, crop=1),  # 17×17
            norm(),
            layers.ReLU(),
            *up(1, 4, crop=2),  # 32×32
            layers.Activation("tanh", dtype="float32"),
        ],
        name="generator",
    )
    discriminator = keras.Sequential(
        [
            keras.Input([32, 32, 1], name="images"),
            *down(1, c // 4),  # 16×16
            layers.LeakyReLU(0.2),
            *down(c // 4, c // 2),  # 8×8
            *activated(),
            *down(c // 2, c),  # 4×4
            *activated(),
            layers.Conv2D(2 * c, 4, **of_d(c * 4**2)),  # 1×1
            *activated(),
            layers.Flatten(),
            dense(2 * c, 1, dtype="float32"),
        ],
        name="discriminator",
    )
    return generator, discriminator


def dcgan_fast(
    latent_dim: int,
    base_channels: int,
    seed: int,
    image_size: int = 28,
    channels: int = 1,
) -> Pair:
    """A narrow DCGAN for a processor: few channels where the maps are large.

    With 16 base channels: G 7×7×64 → 14×14×32 → 28×28×16 → 28×28×1, batch normalised,
    kernels 4×4 and, last, 3×3; D 14×14×16 → 7×7×32 → 4×4×64 → 1 without normalisation,
    which an R1 penalty stands in for. Images of 32×32 begin at 8×8 and end at 4×4; so
    do those of 64×64 and 128×128, with one or two layers of 8×16 channels more on
    either side. Ours.
    """
    c = base_channels
    init = keras.initializers.GlorotUniform(seed=keras.random.SeedGenerator(seed))
    options = {"padding": "same", "kernel_initializer": init}

    def up(filters):
        yield layers.Conv2DTranspose(filters, 4, 2, use_bias=False, **options)
        yield layers.BatchNormalization(momentum=0.9)
        yield layers.ReLU()

    def down(filters):
        yield layers.Conv2D(filters, 4, 2, **options)
        yield layers.LeakyReLU(0.2)

    widths = widths_of(c, image_size)
    *narrower, widest = widths
    first = image_size // 2 ** len(narrower)

    generator = keras.Sequential(
        [
            keras.Input([latent_dim], name="latents"),
            layers.Dense(
                first * first * widest, use_bias=False, kernel_initializer=init
            ),
            layers.Reshape([first, first, widest]),
            layers.BatchNormalization(momentum=0.9),
            layers.ReLU(),
            *(layer for width in reversed(narrower) for layer in up(width)),
            layers.Conv2D(channels, 3, **options),
            layers.Activation("tanh", dtype="float32"),
        ],
        name="generator",
    )
    discriminator = image_discriminator(
        image_size,
        [layer for width in widths for layer in down(width)],
        init,
        channels,
    )
    return generator, discriminator
